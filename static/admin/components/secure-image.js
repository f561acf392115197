// A picture that needs the token. Its blob is revoked as soon as it is not shown any more.

import * as api from "../api.js";

const { ref, watch, onBeforeUnmount } = Vue;

export default {
  name: "SecureImage",
  props: { path: { type: String, required: true }, alt: { type: String, required: true } },
  emits: ["shown"],
  setup(props, { emit }) {
    const address = ref("");
    const error = ref("");
    let latest = 0;
    const drop = () => {
      if (address.value) URL.revokeObjectURL(address.value);
      address.value = "";
    };
    async function load() {
      const mine = ++latest;
      drop();
      error.value = "";
      try {
        const found = await api.picture(props.path);
        if (mine !== latest) return URL.revokeObjectURL(found);
        address.value = found;
        emit("shown", found);
      } catch (problem) {
        if (mine === latest) error.value = problem.message;
      }
    }
    watch(() => props.path, load, { immediate: true });
    onBeforeUnmount(() => {
      latest += 1;
      drop();
    });
    const broken = () => (error.value = "这张照片打不开。");
    return { address, error, broken };
  },
  template: `
    <div class="secure-image">
      <img v-if="address && !error" :src="address" :alt="alt" @error="broken">
      <p v-else-if="error" role="alert">{{ error }}</p>
      <p v-else role="status">正在取照片…</p>
    </div>`,
};

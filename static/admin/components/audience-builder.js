// Who a notice is for: everybody of the area, or by conditions; counted while it is being built.

import * as api from "../api.js";
import AudienceGroup from "./audience-group.js";
import { fromRoot, inWords, leaf, leaves, toRoot, unfilled } from "./audience.js";
import { places } from "./place-picker.js";

const { computed, onBeforeUnmount, onMounted, ref, watch } = Vue;
const MOST = 50;
const AFTER = 500;

/** The fields that this sign-in may use, and the names of its places; both asked for once a builder. */
export async function audienceWords() {
  const [fields, divisions] = await Promise.all([api.get("/audiences/fields"), places()]);
  return { fields, names: Object.fromEntries(divisions.map((place) => [place.code, place.name])) };
}

export default {
  name: "AudienceBuilder",
  components: { AudienceGroup },
  props: { modelValue: { type: Object, required: true } },
  emits: ["update:modelValue"],
  setup(props, { emit }) {
    const root = ref(toRoot(props.modelValue));
    const known = ref({ fields: [], names: {} });
    const counted = ref(null);
    const wrong = ref("");
    const counting = ref(false);
    const expression = computed(() => fromRoot(root.value));
    const missing = computed(() => unfilled(root.value));
    const full = computed(() => leaves(root.value) >= MOST);
    const everybody = computed({
      get: () => !root.value.children.length,
      set: (all) => (root.value.children = all ? [] : [leaf()]),
    });
    const sentence = computed(() => inWords(expression.value, known.value.fields, known.value.names));
    let timer = 0;
    let latest = 0;
    async function count() {
      const mine = ++latest;
      counting.value = true;
      try {
        const found = await api.post("/audiences/count", { expression: expression.value });
        if (mine === latest) [counted.value, wrong.value] = [found, ""];
      } catch (problem) {
        if (mine === latest) [counted.value, wrong.value] = [null, problem instanceof api.Problem ? problem.message : "没能数出人数，请刷新再试。"];
      } finally {
        if (mine === latest) counting.value = false;
      }
    }
    const text = computed(() => JSON.stringify(expression.value));
    watch(text, (now) => {
      emit("update:modelValue", expression.value);
      clearTimeout(timer);
      timer = setTimeout(count, AFTER);
    });
    watch(() => props.modelValue, (outside) => JSON.stringify(outside) !== text.value && (root.value = toRoot(outside)));
    onMounted(async () => {
      count();
      try {
        known.value = await audienceWords();
      } catch (problem) {
        wrong.value = problem.message;
      }
    });
    onBeforeUnmount(() => {
      clearTimeout(timer);
      latest += 1;
    });
    return { root, known, counted, wrong, counting, missing, full, everybody, sentence, count };
  },
  template: `
    <div class="audience">
      <el-radio-group v-model="everybody" aria-label="发给谁"><el-radio-button :value="true" data-testid="audience-everybody">辖区全部人员</el-radio-button><el-radio-button :value="false" data-testid="audience-some">按条件选人</el-radio-button></el-radio-group>
      <audience-group v-if="!everybody" :node="root" :fields="known.fields" :full="full"/>
      <div class="audience-count" aria-live="polite" data-testid="audience-count">
        <p v-if="wrong" class="note bad">{{ wrong }} <button type="button" class="link-button" @click="count">再数一次</button></p>
        <template v-else-if="counted">
          <ul class="counts" :class="{ stale: counting }"><li><b data-testid="audience-total">{{ counted.people.toLocaleString() }}</b>人会收到</li><li><b>{{ counted.wechat.toLocaleString() }}</b>能用微信提醒</li><li><b>{{ counted.sms.toLocaleString() }}</b>有手机号</li>
            <li><b :class="{ 'warn-text': counted.nobody }" data-testid="audience-nobody">{{ counted.nobody.toLocaleString() }}</b>手机都送不到</li></ul>
          <p class="hint">{{ sentence }}。去世和迁出的人不会收到。<template v-if="counted.nobody">手机送不到的 {{ counted.nobody.toLocaleString() }} 人，重要通知会排进电话或上门名单。</template></p>
          <p v-for="note in counted.notes || []" :key="note" class="hint warn-text">{{ note }}</p>
        </template>
        <p v-else class="nothing" role="status">正在数人数…</p>
        <p v-if="missing" class="hint warn-text" data-testid="audience-unfilled">有 {{ missing }} 个条件还没填完，先不算。</p>
        <p v-if="full" class="hint warn-text">条件最多 50 个。</p>
      </div>
    </div>`,
};

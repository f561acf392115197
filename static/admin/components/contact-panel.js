// How a person wishes to be told, set for those who ask at the window or on the telephone.

import * as api from "../api.js";
import LoadState from "./load-state.js";
import { done, loader, say } from "./ui.js";
import { CHANNEL } from "../words.js";

const { computed, onMounted, reactive, ref } = Vue;
const WHY_NOT = { wechat: "没有绑定微信", sms: "没有能收短信的手机号", call: "没有登记电话", paper: "没有登记住址" };

export default {
  name: "ContactPanel",
  components: { LoadState },
  props: { retiree: { type: Object, required: true } },
  setup(props) {
    const path = `/retirees/${props.retiree.id}/contact-settings`;
    const form = reactive({ channels: {}, copy_family: false });
    const busy = ref(false);
    const { data, loading, error, load } = loader(async () => {
      const found = await api.versioned(path);
      Object.assign(form, { channels: { ...found.record.channels }, copy_family: found.record.copy_family });
      return found;
    });
    const changed = computed(() => data.value && JSON.stringify(form) !== JSON.stringify({ channels: data.value.record.channels, copy_family: data.value.record.copy_family }));
    async function save() {
      busy.value = true;
      try {
        await api.put(path, form, api.ifMatch(data.value.version));
        done("已保存。");
        await load();
      } catch (problem) {
        say(problem);
        if (problem.status === 412) await load();
      } finally {
        busy.value = false;
      }
    }
    onMounted(load);
    return { form, busy, data, loading, error, load, changed, save, CHANNEL, WHY_NOT };
  },
  template: `
    <load-state v-if="error" :error="error" @retry="load"/>
    <div v-else v-loading="loading" class="min"><template v-if="data">
      <p class="hint">消息总会放进收件箱。本人不要的方式关掉就不再用。</p>
      <ul class="contact"><li v-for="(name, channel) in CHANNEL" :key="channel"><el-switch v-model="form.channels[channel]" :aria-label="name" :data-testid="'contact-' + channel"/><span>{{ name }}</span><small v-if="!data.record.reach[channel]" class="warn-text">{{ WHY_NOT[channel] }}，现在送不到</small></li>
        <li><el-switch v-model="form.copy_family" aria-label="同时发给家属" data-testid="contact-family"/><span>同时发给家属</span><small class="sub">本人同意后才打开</small></li></ul>
      <el-button type="primary" :disabled="!changed" :loading="busy" @click="save" data-testid="contact-save">保存</el-button>
    </template></div>`,
};

// A covered number or address. 查看 asks what for, shows the whole for half a minute, and the look is in the audit log.

import * as api from "../api.js";
import { isOffice } from "../session.js";
import { FIELDS } from "../words.js";
import YIcon from "./icon.js";
import { say } from "./ui.js";

const { computed, onBeforeUnmount, ref, watch } = Vue;
const SHOWN = 30;
const PURPOSES = ["电话联系本人", "预约上门或视频认证", "核对身份信息", "更正台账"];

export default {
  name: "MaskedValue",
  components: { YIcon },
  props: { retireeId: { type: String, required: true }, field: { type: String, required: true }, value: { type: String, default: "" } },
  setup(props) {
    const asking = ref(false);
    const purpose = ref("");
    const busy = ref(false);
    const revealed = ref("");
    const left = ref(0);
    let timer = 0;
    const name = computed(() => FIELDS[props.field] || props.field);
    const cover = () => {
      clearInterval(timer);
      revealed.value = "";
      left.value = 0;
    };
    function ask() {
      purpose.value = "";
      asking.value = true;
    }
    async function reveal() {
      busy.value = true;
      try {
        const reply = await api.post(`/retirees/${props.retireeId}/reveals`, { field: props.field, purpose: purpose.value.trim() });
        asking.value = false;
        revealed.value = reply.value;
        left.value = SHOWN;
        clearInterval(timer);
        timer = setInterval(() => (left.value > 1 ? (left.value -= 1) : cover()), 1000);
      } catch (problem) {
        say(problem);
      } finally {
        busy.value = false;
      }
    }
    watch(() => [props.retireeId, props.value], cover);
    onBeforeUnmount(cover);
    return { asking, purpose, busy, revealed, left, name, ask, reveal, cover, PURPOSES, isOffice };
  },
  template: `
    <span class="masked">
      <template v-if="!value"><span class="nothing">未填写</span></template>
      <template v-else>
        <span :class="{ revealed }" :data-testid="'value-' + field">{{ revealed || value }}</span>
        <button v-if="revealed" type="button" class="link-button" @click="cover">收起（{{ left }}秒）</button>
        <button v-else-if="isOffice()" type="button" class="link-button" :data-testid="'reveal-' + field"
          :aria-label="'查看完整的' + name" @click="ask"><y-icon name="eye" size="15"/> 查看</button>
      </template>
      <el-dialog v-model="asking" :title="'查看完整的' + name" width="440" append-to-body align-center>
        <p class="hint">每次查看都会记入审计日志。请写明用途，内容显示{{ 30 }}秒后自动遮住。</p>
        <div class="chips" role="group" aria-label="常用用途">
          <button v-for="one in PURPOSES" :key="one" type="button" class="chip" :class="{ on: purpose === one }" @click="purpose = one">{{ one }}</button>
        </div>
        <el-input v-model="purpose" maxlength="100" placeholder="也可以自己写用途，至少2个字" aria-label="查看用途" data-testid="reveal-purpose"
          @keyup.enter="purpose.trim().length > 1 && reveal()"/>
        <template #footer>
          <el-button @click="asking = false">取消</el-button>
          <el-button type="primary" :loading="busy" :disabled="purpose.trim().length < 2" @click="reveal" data-testid="reveal-confirm">查看</el-button>
        </template>
      </el-dialog>
    </span>`,
};

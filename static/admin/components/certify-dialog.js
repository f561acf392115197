// A worker certifies somebody seen at home, at the window or by video, or known from a data match.

import * as api from "../api.js";
import { addMonths, METHOD, STAFF_METHODS, today } from "../words.js";
import { done, say } from "./ui.js";

const { reactive, ref, watch } = Vue;

const HINTS = {
  home_visit: "写明在哪里见到本人、还有谁在场。",
  window: "写明核对了什么证件。",
  video: "写明用什么方式通话、怎样确认是本人。",
  data_match: "写明数据来源，如“医保住院记录”；不要写具体病情。",
};

export default {
  name: "CertifyDialog",
  props: { modelValue: { type: Boolean, default: false }, retiree: { type: Object, default: null }, method: { type: String, default: "" } },
  emits: ["update:modelValue", "certified"],
  setup(props, { emit }) {
    const form = reactive({ method: "", certified_on: "", note: "" });
    const fields = ref({});
    const busy = ref(false);
    let keyed = api.once();
    watch(() => props.modelValue, (open) => {
      if (!open) return;
      Object.assign(form, { method: STAFF_METHODS.includes(props.method) ? props.method : "home_visit", certified_on: today(), note: "" });
      fields.value = {};
      keyed = api.once();
    });
    const outside = (date) => {
      const day = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
      return day > today() || day < addMonths(today(), -12);
    };
    async function save() {
      busy.value = true;
      fields.value = {};
      try {
        const body = { method: form.method, certified_on: form.certified_on, note: form.note.trim() };
        const certificate = await api.post(`/retirees/${props.retiree.id}/certifications`, body, keyed(body));
        done(`已登记${METHOD[form.method]}，这次凭证有效到 ${certificate.due_on}。`);
        emit("update:modelValue", false);
        emit("certified", certificate);
      } catch (problem) {
        fields.value = problem.fields || {};
        say(problem);
      } finally {
        busy.value = false;
      }
    }
    return { form, fields, busy, save, outside, METHOD, STAFF_METHODS, HINTS };
  },
  template: `
    <el-dialog :model-value="modelValue" @update:model-value="$emit('update:modelValue', $event)" :title="'登记认证：' + (retiree?.name || '')"
      width="520" align-center append-to-body>
      <p class="hint">只登记工作人员亲自见到、通话核实，或有数据证明本人健在的情况。登记后马上生效并通知本人。</p>
      <el-form label-position="top" @submit.prevent="save" data-testid="certify-dialog">
        <el-form-item label="方式" :error="fields.method">
          <el-radio-group v-model="form.method" aria-label="认证方式">
            <el-radio-button v-for="one in STAFF_METHODS" :key="one" :value="one" :data-testid="'method-' + one">{{ METHOD[one] }}</el-radio-button>
          </el-radio-group>
        </el-form-item>
        <el-form-item label="认证日期" :error="fields.certified_on">
          <span data-testid="certified-on" class="day"><el-date-picker v-model="form.certified_on" type="date" value-format="YYYY-MM-DD" :clearable="false" :disabled-date="outside"
            aria-label="认证日期"/></span>
        </el-form-item>
        <el-form-item label="说明" :error="fields.note">
          <el-input v-model="form.note" type="textarea" :rows="3" maxlength="500" show-word-limit :placeholder="HINTS[form.method]"
            aria-label="说明" data-testid="certify-note"/>
        </el-form-item>
      </el-form>
      <template #footer>
        <el-button @click="$emit('update:modelValue', false)">取消</el-button>
        <el-button type="primary" :loading="busy" @click="save" data-testid="certify-save">登记</el-button>
      </template>
    </el-dialog>`,
};

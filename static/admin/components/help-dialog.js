// Putting a person on the list of those who are certified by a human: after a telephone call, say.

import * as api from "../api.js";
import { HELP_METHOD } from "../words.js";
import { done, say } from "./ui.js";

const { reactive, ref, watch } = Vue;

export default {
  name: "HelpDialog",
  props: { modelValue: Boolean, retiree: { type: Object, required: true } },
  emits: ["update:modelValue", "asked"],
  setup(props, { emit }) {
    const form = reactive({ method: "home_visit", note: "" });
    const busy = ref(false);
    let keyed = api.once();
    watch(() => props.modelValue, (open) => {
      if (!open) return;
      Object.assign(form, { method: "home_visit", note: "" });
      keyed = api.once();
    });
    async function save() {
      busy.value = true;
      try {
        const body = { method: form.method, note: form.note.trim() };
        await api.post(`/retirees/${props.retiree.id}/certification-help`, body, keyed(body));
        done("已加入待办，并通知本人。");
        emit("update:modelValue", false);
        emit("asked");
      } catch (problem) {
        say(problem);
      } finally {
        busy.value = false;
      }
    }
    return { form, busy, save, HELP_METHOD };
  },
  template: `
    <el-dialog :model-value="modelValue" @update:model-value="$emit('update:modelValue', $event)" :title="'转人工办理：' + retiree.name" width="480" align-center append-to-body>
      <p class="hint">加入待办，由工作人员联系本人办理；已有一项没办完的，会改成这次选的方式。</p>
      <el-form label-position="top" @submit.prevent="save">
        <el-form-item label="方式"><el-radio-group v-model="form.method" aria-label="方式"><el-radio-button v-for="(name, one) in HELP_METHOD" :key="one" :value="one">{{ name }}</el-radio-button></el-radio-group></el-form-item>
        <el-form-item label="说明"><el-input v-model="form.note" type="textarea" :rows="3" maxlength="200" show-word-limit aria-label="说明" placeholder="如“约在周三上午”" data-testid="help-note"/></el-form-item>
      </el-form>
      <template #footer><el-button @click="$emit('update:modelValue', false)">取消</el-button><el-button type="primary" :loading="busy" @click="save" data-testid="help-save">加入待办</el-button></template>
    </el-dialog>`,
};

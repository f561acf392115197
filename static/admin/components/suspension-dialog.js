// Noting what the pension office decided. The platform itself never stops a pension.

import * as api from "../api.js";
import { today } from "../words.js";
import { done, say } from "./ui.js";

const { ref, watch } = Vue;

export default {
  name: "SuspensionDialog",
  props: { modelValue: Boolean, person: { type: Object, required: true }, version: { type: String, required: true }, suspended: Boolean },
  emits: ["update:modelValue", "saved"],
  setup(props, { emit }) {
    const day = ref("");
    const sureOf = ref(false);
    const busy = ref(false);
    watch(() => props.modelValue, (open) => {
      if (!open) return;
      day.value = today();
      sureOf.value = false;
    });
    async function save() {
      busy.value = true;
      try {
        await api.put(`/retirees/${props.person.id}/suspension`, { suspended_on: props.suspended ? null : day.value }, api.ifMatch(props.version));
        done(props.suspended ? "已登记恢复发放。" : "已登记暂停发放。");
        emit("update:modelValue", false);
      } catch (problem) {
        say(problem);
        if (problem.status === 412) emit("update:modelValue", false);
        else return;
      } finally {
        busy.value = false;
      }
      emit("saved");
    }
    const future = (date) => date.getTime() > Date.parse(`${today()}T23:59:59+08:00`);
    return { day, sureOf, busy, save, future };
  },
  template: `
    <el-dialog :model-value="modelValue" @update:model-value="$emit('update:modelValue', $event)" :title="suspended ? '登记恢复发放' : '登记暂停发放'" width="500" align-center append-to-body>
      <p class="note calm">这里只登记社保经办机构已经作出的决定。<b>本系统从不停发养老金</b>：有人逾期，要先联系、核实，是否暂停由经办机构决定；认证后暂停的部分会补发。</p>
      <el-form label-position="top" @submit.prevent>
        <el-form-item v-if="!suspended" label="经办机构暂停发放的日期"><span data-testid="suspended-on" class="day"><el-date-picker v-model="day" type="date" value-format="YYYY-MM-DD" :clearable="false" :disabled-date="future" aria-label="暂停日期"/></span></el-form-item>
        <el-checkbox v-model="sureOf" data-testid="suspension-official">我已看到经办机构的正式通知或系统状态</el-checkbox>
      </el-form>
      <template #footer><el-button @click="$emit('update:modelValue', false)">取消</el-button>
        <el-button :type="suspended ? 'primary' : 'danger'" :disabled="!sureOf" :loading="busy" @click="save" data-testid="suspension-save">{{ suspended ? '登记恢复' : '登记暂停' }}</el-button></template>
    </el-dialog>`,
};

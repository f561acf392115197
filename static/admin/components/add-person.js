// Adding one person to the ledger.

import * as api from "../api.js";
import { session } from "../session.js";
import LedgerFields, { namesOf } from "./ledger-fields.js";
import { done, say, sure } from "./ui.js";

const { nextTick, ref, watch } = Vue;
const REQUIRED = ["name", "id_number", "division"];

const empty = () => ({
  ...Object.fromEntries(namesOf(true).map((name) => [name, ""])),
  hardship: [],
  verification: "unverified",
  division: session.division.length === 12 ? session.division : "",
});

export default {
  name: "AddPerson",
  components: { LedgerFields },
  props: { modelValue: { type: Boolean, default: false } },
  emits: ["update:modelValue", "added"],
  setup(props, { emit }) {
    const form = ref(empty());
    const errors = ref({});
    const busy = ref(false);
    let keyed = api.once();
    watch(() => props.modelValue, (open) => {
      if (!open) return;
      form.value = empty();
      errors.value = {};
      keyed = api.once();
    });
    const filled = () => Object.fromEntries(
      Object.entries(form.value)
        .map(([name, value]) => [name, typeof value === "string" ? value.trim() : value])
        .filter(([, value]) => value !== "" && value !== null && value !== undefined),
    );
    async function save() {
      const body = filled();
      errors.value = Object.fromEntries(REQUIRED.filter((name) => !body[name]).map((name) => [name, "这一项必填。"]));
      if (Object.keys(errors.value).length) return show();
      busy.value = true;
      try {
        const person = await api.post("/retirees", body, keyed(body));
        done(`已新增 ${person.name}。`);
        emit("update:modelValue", false);
        emit("added", person);
      } catch (problem) {
        errors.value = problem.fields || {};
        if (problem.code === "already_in_ledger") errors.value = { id_number: problem.message };
        if (Object.keys(errors.value).length) show();
        else say(problem);
      } finally {
        busy.value = false;
      }
    }
    const show = () => nextTick(() => document.querySelector(".add-person .is-error")?.scrollIntoView({ block: "center", behavior: "smooth" }));
    async function close(finish) {
      const typed = JSON.stringify(form.value) !== JSON.stringify(empty());
      if (!typed || (await sure("填写的内容还没有保存，要放弃吗？", "放弃新增", "放弃"))) finish();
    }
    const leave = () => close(() => emit("update:modelValue", false));
    return { form, errors, busy, save, close, leave, REQUIRED };
  },
  template: `
    <el-dialog class="add-person" :model-value="modelValue" @update:model-value="$emit('update:modelValue', $event)" :before-close="close" title="新增人员"
      width="860" top="5vh" append-to-body destroy-on-close :close-on-click-modal="false">
      <el-form label-position="top" @submit.prevent="save"><ledger-fields :form="form" :errors="errors" :required="REQUIRED"/></el-form>
      <template #footer>
        <p v-if="Object.keys(errors).length" class="note bad" role="alert" data-testid="add-error">有 {{ Object.keys(errors).length }} 项要改，请看标红的地方。</p>
        <el-button @click="leave">取消</el-button>
        <el-button type="primary" :loading="busy" @click="save" data-testid="add-save">保存</el-button>
      </template>
    </el-dialog>`,
};

// Changing a person: only what was changed is sent, against the version that was seen. Where somebody else was faster,
// what was typed stays, and what they wrote stands beside it.

import * as api from "../api.js";
import LedgerFields, { COVERED, namesOf } from "./ledger-fields.js";
import { places } from "./place-picker.js";
import { done, say, sure } from "./ui.js";
import { auditedValue } from "../words.js";

const { computed, nextTick, ref, watch } = Vue;

const NAMES = namesOf(false);
const plain = (value) => (value === null || value === undefined ? "" : value);
const same = (one, other) => JSON.stringify(plain(one)) === JSON.stringify(plain(other));
const formOf = (record) => Object.fromEntries(NAMES.map((name) => [name, COVERED.includes(name) ? "" : Array.isArray(record[name]) ? [...record[name]] : plain(record[name])]));

export default {
  name: "EditPerson",
  components: { LedgerFields },
  props: { modelValue: { type: Boolean, default: false }, person: { type: Object, required: true }, version: { type: String, required: true } },
  emits: ["update:modelValue", "saved"],
  setup(props, { emit }) {
    const base = ref(props.person);
    const form = ref(formOf(props.person));
    const seen = ref("");
    const errors = ref({});
    const conflicts = ref({});
    const stale = ref(false);
    const busy = ref(false);
    watch(() => props.modelValue, (open) => {
      if (!open) return;
      base.value = props.person;
      form.value = formOf(props.person);
      seen.value = props.version;
      errors.value = {};
      conflicts.value = {};
      stale.value = false;
    });
    const touched = (name) => (COVERED.includes(name) ? form.value[name] === null || form.value[name] !== "" : !same(form.value[name], base.value[name]));
    const changed = computed(() => NAMES.filter(touched));

    function body() {
      return Object.fromEntries(changed.value.map((name) => {
        const value = form.value[name];
        if (Array.isArray(value) || typeof value === "boolean") return [name, value];
        return [name, (typeof value === "string" ? value.trim() : value) || null];
      }));
    }
    async function save() {
      if (!changed.value.length) return emit("update:modelValue", false);
      const changes = body();
      if (changes.status === "deceased" && !(await sure("登记去世后，认证状态会变为“已终止”。请确认已经核实。", "登记去世", "已核实，保存"))) return;
      busy.value = true;
      errors.value = {};
      try {
        await api.patch(`/retirees/${props.person.id}`, changes, api.ifMatch(seen.value));
        done("已保存。");
        emit("saved");
        emit("update:modelValue", false);
      } catch (problem) {
        if (problem.status === 412 || problem.status === 428) stale.value = true;
        errors.value = problem.fields || {};
        if (!stale.value && !Object.keys(errors.value).length) say(problem);
        nextTick(() => document.querySelector(".edit-person .is-error, .edit-person .stale")?.scrollIntoView({ block: "center" }));
      } finally {
        busy.value = false;
      }
    }
    /** Take what is there now, and keep what was typed. */
    async function reload() {
      busy.value = true;
      try {
        const { record, version } = await api.versioned(`/retirees/${props.person.id}`);
        const mine = Object.fromEntries(changed.value.map((name) => [name, form.value[name]]));
        const names = Object.fromEntries((await places().catch(() => [])).map((place) => [place.code, place.name]));
        conflicts.value = Object.fromEntries(
          Object.keys(mine).filter((name) => !same(record[name], base.value[name])).map((name) => [name, names[record[name]] || auditedValue(name, record[name])]),
        );
        base.value = record;
        form.value = { ...formOf(record), ...mine };
        seen.value = version;
        stale.value = false;
      } catch (problem) {
        say(problem);
      } finally {
        busy.value = false;
      }
    }
    async function close(finish) {
      if (!changed.value.length || (await sure("改动还没有保存，要放弃吗？", "放弃修改", "放弃"))) finish();
    }
    const leave = () => close(() => emit("update:modelValue", false));
    return { base, form, errors, conflicts, stale, busy, changed, save, reload, close, leave };
  },
  template: `
    <el-drawer class="edit-person" :model-value="modelValue" @update:model-value="$emit('update:modelValue', $event)" :before-close="close"
      :title="'编辑：' + person.name" size="min(760px, 100%)" append-to-body destroy-on-close>
      <div v-if="stale" class="note bad stale" role="alert" data-testid="stale">
        <p><b>这条记录刚被别人改过。</b>您填写的内容还在。请先取最新的，再核对一遍保存。</p>
        <el-button type="primary" :loading="busy" @click="reload" data-testid="stale-reload">取最新的，保留我填的</el-button>
      </div>
      <p v-else-if="Object.keys(conflicts).length" class="note warn" role="status" data-testid="conflicts">已取最新内容。有 {{ Object.keys(conflicts).length }} 项您和别人都改了，已在下面标出，请核对后再保存。</p>
      <el-form label-position="top" @submit.prevent="save"><ledger-fields :form="form" :errors="errors" :base="base" :conflicts="conflicts" :required="['name', 'division']"/></el-form>
      <template #footer>
        <span class="sub grow">{{ changed.length ? '改了 ' + changed.length + ' 项' : '还没有改动' }}</span>
        <el-button @click="leave">取消</el-button>
        <el-button type="primary" :loading="busy" :disabled="!changed.length || stale" @click="save" data-testid="edit-save">保存</el-button>
      </template>
    </el-drawer>`,
};

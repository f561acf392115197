// Choosing people by name, pinyin, or a whole number; several or one. What was chosen before is shown by name.

import * as api from "../api.js";
import { SEX, age } from "../words.js";
import { say } from "./ui.js";

const { computed, onMounted, ref } = Vue;
const NAMED = 30;

export default {
  name: "PersonPicker",
  inheritAttrs: false,
  props: { modelValue: { type: [Array, String], default: null }, multiple: Boolean, label: { type: String, default: "选人" } },
  emits: ["update:modelValue"],
  setup(props, { emit }) {
    const known = ref(new Map());
    const found = ref([]);
    const busy = ref(false);
    const chosen = computed(() => (props.multiple ? props.modelValue || [] : [props.modelValue].filter(Boolean)));
    const option = (person) => ({ value: person.id, label: person.name, more: `${SEX[person.sex] || ""} ${age(person.birth)}岁 ${person.division_name}` });
    const choices = computed(() => {
      const ids = new Set(found.value.map((one) => one.value));
      return [...chosen.value.filter((id) => !ids.has(id)).map((id) => known.value.get(id) || { value: id, label: "…", more: "" }), ...found.value];
    });
    const keep = (options) => (known.value = new Map([...known.value, ...options.map((one) => [one.value, one])]));
    let latest = 0;
    async function find(q) {
      const mine = ++latest;
      if (!q.trim()) return (found.value = []);
      busy.value = true;
      try {
        const { rows } = await api.list("/retirees", { q: q.trim(), page_size: 20 });
        if (mine !== latest) return;
        found.value = rows.map(option);
        keep(found.value);
      } catch (problem) {
        say(problem);
      } finally {
        if (mine === latest) busy.value = false;
      }
    }
    onMounted(async () => {
      const people = await Promise.all(chosen.value.slice(0, NAMED).map((id) => api.get(`/retirees/${id}`).catch(() => null)));
      keep(people.filter(Boolean).map(option));
    });
    const choose = (value) => emit("update:modelValue", value || (props.multiple ? [] : ""));
    return { chosen, choices, busy, find, choose };
  },
  template: `
    <span class="person-picker" v-bind="$attrs"><el-select :model-value="multiple ? chosen : chosen[0]" @update:model-value="choose" :multiple="multiple" filterable remote reserve-keyword clearable
      :remote-method="find" :loading="busy" :aria-label="label" placeholder="姓名、拼音，或完整的手机号" no-data-text="没有找到" loading-text="正在找…">
      <el-option v-for="one in choices" :key="one.value" :value="one.value" :label="one.label">{{ one.label }} <small class="sub">{{ one.more }}</small></el-option></el-select></span>`,
};

// One place of the area, or several, from the tree of divisions: city, district, street, community.

import * as api from "../api.js";
import { session } from "../session.js";
import { say } from "./ui.js";

const { computed, onMounted, ref } = Vue;

let loaded = { division: null, places: null };

/** The places of one's own area, asked for once a sign-in. */
export function places() {
  if (loaded.division !== session.division || !loaded.places) {
    const asked = api.get("/divisions");
    loaded = { division: session.division, places: asked };
    asked.catch(() => (loaded.places = null));
  }
  return loaded.places;
}

function tree(rows, communityOnly) {
  const nodes = new Map(rows.map((row) => [row.code, { value: row.code, label: row.name, disabled: communityOnly && row.level !== "community", children: [] }]));
  const roots = [];
  for (const [code, node] of nodes) {
    const above = [9, 6, 4].filter((length) => length < code.length).map((length) => nodes.get(code.slice(0, length))).find(Boolean);
    (above ? above.children : roots).push(node);
  }
  return roots;
}

export default {
  name: "PlacePicker",
  inheritAttrs: false, // the library would put them on the tree as well
  props: {
    modelValue: { type: [String, Array], default: "" },
    multiple: { type: Boolean, default: false },
    communityOnly: { type: Boolean, default: false },
    placeholder: { type: String, default: "全部地区" },
    label: { type: String, default: "地区" },
  },
  emits: ["update:modelValue", "change"],
  setup(props, { emit }) {
    const rows = ref([]);
    const data = computed(() => tree(rows.value, props.communityOnly));
    // few places are shown open, a city's thousand are not
    const open = computed(() => rows.value.filter((row) => rows.value.length <= 60 || row.level === "city").map((row) => row.code));
    onMounted(async () => {
      try {
        rows.value = await places();
      } catch (problem) {
        say(problem);
      }
    });
    const choose = (value) => {
      const chosen = value || (props.multiple ? [] : "");
      emit("update:modelValue", chosen);
      emit("change", chosen);
    };
    return { rows, data, open, choose };
  },
  template: `
    <span class="place-picker" v-bind="$attrs"><el-tree-select :model-value="modelValue || undefined" :multiple="multiple" @update:model-value="choose" :data="data" node-key="value" check-strictly
      :default-expanded-keys="open" filterable clearable :placeholder="placeholder" :aria-label="label" :render-after-expand="false"
      no-data-text="没有可选的地区"/></span>`,
};

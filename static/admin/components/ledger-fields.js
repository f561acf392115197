// The fields of the ledger as a form: for a new person and for changes. `base` is what the server holds; numbers that are
// covered there are never filled in, one writes a new one or leaves it alone.

import { isOffice } from "../session.js";
import PlacePicker from "./place-picker.js";
import { ENTERPRISE_LEVEL, FIELDS, HARDSHIP, HEALTH, options, RESIDENCE_KIND, RETIREMENT_KIND, SEX, STATUS, today, VERIFICATION } from "../words.js";

const YES_NO = [{ value: true, label: "是" }, { value: false, label: "否" }];
export const COVERED = ["phone", "address", "emergency_phone"];

const GROUPS = [
  ["身份", ["name", "id_number", "sex", "recognised_birth", "verification"]],
  ["联系与居住", ["phone", "phone_owner", "division", "address", "residence_kind", "emergency_contact", "emergency_phone"]],
  ["退休", ["enterprise", "enterprise_level", "retired_on", "retirement_kind", "pension_source"]],
  ["其他情况", ["hukou_place", "native_place", "health", "hardship", "veteran", "combat_or_test"]],
  ["认证", ["liveness_note"]],
  ["人员状态", ["status", "status_reason", "died_on"]],
];
const ONLY_NEW = ["id_number", "sex"];
const ONLY_EDIT = ["status", "status_reason", "died_on"];

const KINDS = {
  sex: ["choice", options(SEX)],
  verification: ["choice", options(VERIFICATION)],
  residence_kind: ["choice", options(RESIDENCE_KIND)],
  enterprise_level: ["choice", options(ENTERPRISE_LEVEL)],
  retirement_kind: ["choice", options(RETIREMENT_KIND)],
  health: ["choice", options(HEALTH)],
  status: ["choice", options(STATUS)],
  hardship: ["several", options(HARDSHIP)],
  veteran: ["choice", YES_NO],
  combat_or_test: ["choice", YES_NO],
  recognised_birth: ["day"],
  retired_on: ["day"],
  died_on: ["day"],
  division: ["place"],
  liveness_note: ["text", 200],
  status_reason: ["text", 200],
  address: ["text", 200],
  name: ["text", 25],
  id_number: ["text", 20],
  phone_owner: ["text", 20],
  pension_source: ["text", 20],
  emergency_contact: ["text", 20],
};
const WIDE = ["address", "liveness_note", "status_reason"];
const ALWAYS = ["name", "division", "status", "verification", "sex", "recognised_birth"];
const HINTS = {
  id_number: "18位；老的15位号码会自动换算",
  sex: "不选则按身份证号",
  recognised_birth: "和身份证不同时，以档案最早记载为准；不填则按身份证号",
  liveness_note: "如“颈椎病，不能转头”。填写后认证时不再要求做动作，照片由工作人员核对",
  phone: "11位手机号，或带区号的座机",
  status_reason: "如“随子女迁往外地”“社区核实”",
};

export const namesOf = (isNew) => GROUPS.flatMap(([, names]) => names).filter((name) => !(isNew ? ONLY_EDIT : ONLY_NEW).includes(name));

export default {
  name: "LedgerFields",
  components: { PlacePicker },
  props: {
    form: { type: Object, required: true },
    errors: { type: Object, default: () => ({}) },
    base: { type: Object, default: null },
    conflicts: { type: Object, default: () => ({}) },
    required: { type: Array, default: () => [] },
  },
  setup(props) {
    const names = namesOf(!props.base);
    const groups = GROUPS.map(([title, all]) => [title, all.filter((name) => names.includes(name))]).filter(([, all]) => all.length);
    const kind = (name) => KINDS[name]?.[0] || "text";
    const choices = (name) => KINDS[name]?.[1];
    const most = (name) => (typeof KINDS[name]?.[1] === "number" ? KINDS[name][1] : 100);
    const covered = (name) => props.base && COVERED.includes(name) && props.base[name];
    const hint = (name) => {
      if (covered(name)) return props.form[name] === null ? "保存后会清除这一项" : `现为 ${props.base[name]}，不改就留空`;
      return name === "recognised_birth" && props.base ? "以档案最早记载为准" : HINTS[name];
    };
    const future = (date) => date.getTime() > Date.parse(`${today()}T23:59:59+08:00`);
    const shown = (name) => name !== "died_on" || props.form.status === "deceased";
    return { groups, kind, choices, most, covered, hint, future, shown, FIELDS, WIDE, ALWAYS, isOffice };
  },
  template: `
    <fieldset v-for="[title, names] in groups" :key="title" class="fields">
      <legend>{{ title }}</legend>
      <div class="fields-grid">
        <template v-for="name in names" :key="name">
        <el-form-item v-if="shown(name)" :label="FIELDS[name]" :error="errors[name]" :required="required.includes(name)" :class="{ wide: WIDE.includes(name) }">
          <el-select v-if="kind(name) === 'choice'" v-model="form[name]" :clearable="!ALWAYS.includes(name) || name === 'sex'" placeholder="请选择" :aria-label="FIELDS[name]" :data-testid="'field-' + name">
            <el-option v-for="one in choices(name)" :key="String(one.value)" v-bind="one"/></el-select>
          <el-select v-else-if="kind(name) === 'several'" v-model="form[name]" multiple placeholder="没有就不选" :aria-label="FIELDS[name]" :data-testid="'field-' + name">
            <el-option v-for="one in choices(name)" :key="one.value" v-bind="one"/></el-select>
          <span v-else-if="kind(name) === 'day'" :data-testid="'field-' + name" class="day"><el-date-picker v-model="form[name]" type="date" value-format="YYYY-MM-DD" :clearable="!(base && ALWAYS.includes(name))" placeholder="如 1950-03-12"
            :disabled-date="future" :aria-label="FIELDS[name]"/></span>
          <place-picker v-else-if="kind(name) === 'place'" v-model="form[name]" community-only placeholder="请选择社区" :label="FIELDS[name]" :data-testid="'field-' + name"/>
          <el-input v-else v-model="form[name]" :maxlength="most(name)" :placeholder="covered(name) ? base[name] : ''" :aria-label="FIELDS[name]" :data-testid="'field-' + name" autocomplete="off"/>
          <p v-if="conflicts[name]" class="field-hint warn-text">别人刚改成：{{ conflicts[name] }}</p>
          <p v-if="hint(name) && (!errors[name] || covered(name))" class="field-hint">{{ hint(name) }}
            <button v-if="covered(name) && form[name] !== null" type="button" class="link-button" @click="form[name] = null">清除这一项</button>
            <button v-else-if="covered(name)" type="button" class="link-button" @click="form[name] = ''">不清除</button></p>
        </el-form-item>
        </template>
      </div>
    </fieldset>`,
};

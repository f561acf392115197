// One group of the audience builder: conditions, and groups inside it, joined by and / or; each may be turned round by "not".

import PersonPicker from "./person-picker.js";
import PlacePicker from "./place-picker.js";
import YIcon from "./icon.js";
import { group, leaf } from "./audience.js";

const DEEPEST = 3; // groups; the server takes five levels, of which every "not" is one

export default {
  name: "AudienceGroup",
  components: { PersonPicker, PlacePicker, YIcon },
  props: { node: { type: Object, required: true }, fields: { type: Array, required: true }, depth: { type: Number, default: 1 }, full: Boolean },
  emits: ["remove"],
  setup(props) {
    const known = (one) => props.fields.find((field) => field.field === one.field);
    /** How values are compared: several may always be chosen, so "is" only stands where there is no list. */
    function operators(one) {
      const field = known(one);
      if (!field) return [];
      if (field.kind === "number") return field.operators.map(({ op, name }) => ({ value: op, name }));
      const op = field.operators.some((each) => each.op === "in") ? "in" : "is";
      if (field.kind === "boolean") return [{ value: op, name: "是" }];
      return [{ value: op, name: "是" }, { value: `not ${op}`, name: "不是" }];
    }
    function choose(one, name) {
      const field = props.fields.find((each) => each.field === name);
      Object.assign(one, { field: name, not: false, value: field.kind === "number" || field.kind === "boolean" ? null : [] });
      one.op = field.kind === "number" ? field.operators.find((each) => each.op === "at_least")?.op || "is" : operators(one)[0].value;
    }
    const compare = (one, value) => Object.assign(one, { not: value.startsWith("not "), op: value.replace("not ", "") });
    const add = () => props.node.children.push(leaf());
    const addGroup = () => props.node.children.push(group(props.node.join === "all" ? "any" : "all", [leaf()]));
    const drop = (one) => props.node.children.splice(props.node.children.indexOf(one), 1);
    return { known, operators, choose, compare, add, addGroup, drop, DEEPEST };
  },
  template: `
    <div class="audience-group" :class="{ nested: depth > 1, not: node.not }" role="group" :aria-label="depth > 1 ? '一组条件' : '条件'">
      <div v-if="node.children.length > 1 || depth > 1" class="audience-join">
        <el-radio-group v-model="node.join" size="small" aria-label="怎样组合"><el-radio-button value="all">都要符合（并且）</el-radio-button><el-radio-button value="any">符合一项就行（或者）</el-radio-button></el-radio-group>
        <el-checkbox v-if="depth > 1" v-model="node.not" size="small">反过来：不是这组人</el-checkbox>
        <span class="grow"></span>
        <button v-if="depth > 1" type="button" class="link-button" @click="$emit('remove')"><y-icon name="cross" size="14"/> 去掉这组</button></div>
      <ul>
        <li v-for="one in node.children" :key="one.key">
          <audience-group v-if="one.children" :node="one" :fields="fields" :depth="depth + 1" :full="full" @remove="drop(one)"/>
          <div v-else class="audience-leaf" data-testid="audience-leaf">
            <el-select :model-value="one.field" @change="choose(one, $event)" placeholder="按什么选" aria-label="按什么选" class="what" data-testid="audience-field">
              <el-option v-for="field in fields" :key="field.field" :value="field.field" :label="field.name" :disabled="field.kind === 'activity' && !field.values"><span>{{ field.name }}</span> <small v-if="field.note" class="sub">{{ field.note }}</small></el-option></el-select>
            <template v-if="known(one)">
              <el-select v-if="known(one).kind !== 'boolean'" :model-value="(one.not ? 'not ' : '') + one.op" @change="compare(one, $event)" aria-label="怎样比" class="how">
                <el-option v-for="how in operators(one)" :key="how.value" :value="how.value" :label="how.name"/></el-select>
              <span v-if="known(one).kind === 'number'" class="value number"><el-input-number v-model="one.value" :min="0" :max="130" :precision="0" controls-position="right" :aria-label="known(one).name" data-testid="audience-number"/> {{ known(one).field === 'age' ? '周岁' : '' }}</span>
              <el-radio-group v-else-if="known(one).kind === 'boolean'" v-model="one.value" :aria-label="known(one).name"><el-radio-button v-for="choice in known(one).values" :key="String(choice.value)" :value="choice.value">{{ choice.name }}</el-radio-button></el-radio-group>
              <place-picker v-else-if="known(one).kind === 'division'" v-model="one.value" multiple class="value" placeholder="选街道或社区" :label="known(one).name" data-testid="audience-place"/>
              <person-picker v-else-if="known(one).kind === 'retiree'" v-model="one.value" multiple class="value" label="名单" data-testid="audience-people"/>
              <el-select v-else v-model="one.value" multiple filterable class="value" placeholder="可以选几项" :aria-label="known(one).name" data-testid="audience-values">
                <el-option v-for="choice in known(one).values || []" :key="choice.value" :value="choice.value" :label="choice.name"/></el-select>
            </template>
            <button type="button" class="link-button" :aria-label="'去掉这个条件' + (known(one) ? '：' + known(one).name : '')" @click="drop(one)"><y-icon name="cross" size="16"/></button>
          </div></li></ul>
      <div class="audience-add">
        <button type="button" class="link-button" :disabled="full" @click="add" data-testid="audience-add"><y-icon name="plus" size="15"/> 加一个条件</button>
        <button v-if="depth < DEEPEST" type="button" class="link-button" :disabled="full" @click="addGroup" data-testid="audience-add-group"><y-icon name="plus" size="15"/> 加一组条件</button></div>
    </div>`,
};

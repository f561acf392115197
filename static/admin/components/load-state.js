// What stands where nothing could be loaded, or where there is nothing: a sentence and, where it helps, a button.

import YIcon from "./icon.js";

export default {
  name: "LoadState",
  components: { YIcon },
  props: { error: { type: String, default: "" }, empty: { type: String, default: "" }, icon: { type: String, default: "later" } },
  emits: ["retry"],
  template: `
    <div class="load-state" :role="error ? 'alert' : 'status'" :data-testid="error ? 'load-error' : 'empty'">
      <y-icon :name="error ? 'warn' : icon" size="34"/>
      <p>{{ error || empty }}</p>
      <el-button v-if="error" @click="$emit('retry')" data-testid="retry">再试一次</el-button>
      <slot/>
    </div>`,
};

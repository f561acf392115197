// The attachments of a notice: PDF and Word, looked at by the server.

import YIcon from "./icon.js";
import { sure } from "./ui.js";

const { ref } = Vue;

export const bytes = (count) => (count >= 1024 * 1024 ? `${(count / 1024 / 1024).toFixed(1)} MB` : `${Math.max(1, Math.round(count / 1024))} KB`);

export default {
  name: "NoticeFiles",
  components: { YIcon },
  props: { files: { type: Array, required: true }, editable: Boolean, busy: Boolean },
  emits: ["add", "remove", "save"],
  setup(props, { emit }) {
    const input = ref(null);
    function chosen(event) {
      for (const file of event.target.files) emit("add", file);
      event.target.value = "";
    }
    const drop = async (file) => (await sure(`要删掉附件“${file.name}”吗？`, "删除附件", "删除")) && emit("remove", file);
    return { input, chosen, drop, bytes };
  },
  template: `
    <div class="wide">
      <ul class="files"><li v-for="file in files" :key="file.id" data-testid="attachment"><y-icon name="log" size="18"/><span class="what">{{ file.name }} <small class="sub">{{ bytes(file.bytes) }}</small></span>
        <button type="button" class="link-button" @click="$emit('save', file)">下载</button>
        <button v-if="editable" type="button" class="link-button" @click="drop(file)" :aria-label="'删除附件' + file.name">删除</button></li></ul>
      <template v-if="editable"><input ref="input" type="file" accept=".pdf,.doc,.docx" multiple hidden @change="chosen" data-testid="attachment-file">
        <el-button size="small" :loading="busy" @click="input.click()"><y-icon name="upload" size="15"/>&nbsp;加附件</el-button> <span class="hint">PDF 或 Word，每个最大 20 MB，最多 10 个</span></template>
      <p v-else-if="!files.length" class="nothing">没有附件</p>
    </div>`,
};

// The published versions of a notice, and what one changed against another.

import * as api from "../api.js";
import LoadState from "./load-state.js";
import TextChanges from "./text-changes.js";
import { audienceWords } from "./audience-builder.js";
import { inWords } from "./audience.js";
import { plain } from "./notice-html.js";
import { loader } from "./ui.js";
import { IMPORTANCE, minute, NOTICE_CATEGORY, NOTICE_FIELDS, NOTICE_KIND, word } from "../words.js";

const { computed, onMounted, ref } = Vue;
const TEXTS = ["title", "summary", "body"];

export default {
  name: "NoticeVersions",
  components: { LoadState, TextChanges },
  // the draft of a correction, where one is being written, stands beside the versions
  props: { notice: { type: Object, required: true } },
  setup(props) {
    const pair = ref([]);
    const known = ref({ fields: [], names: {} });
    const { data, loading, error, load } = loader(async () => {
      const [versions, words] = await Promise.all([api.get(`/notices/${props.notice.id}/versions`), audienceWords()]);
      known.value = words;
      const draft = ["draft", "in_review", "approved"].includes(props.notice.state) ? [{ ...props.notice, making: true }] : [];
      return [...draft, ...versions];
    });
    const names = computed(() => (data.value || []).map((one) => ({ value: one.version, label: `第${one.version}版${one.making ? "（正在改）" : ""}` })));
    const find = (number) => data.value.find((one) => one.version === number);
    const text = (version, name) => {
      const value = version[name];
      if (name === "body") return plain(value);
      if (name === "audience") return inWords(value, known.value.fields, known.value.names);
      if (name === "pictures") return `${value.length} 张`;
      if (name === "attachments") return value.map((file) => file.name).join("、");
      if (name === "pinned") return value ? "是" : "否";
      return word({ kind: NOTICE_KIND, category: NOTICE_CATEGORY, importance: IMPORTANCE }[name] || {}, value);
    };
    const differences = computed(() => {
      if (pair.value.length < 2) return [];
      const [before, after] = pair.value.map(find);
      return Object.keys(NOTICE_FIELDS).map((name) => ({ name, before: text(before, name), after: text(after, name) })).filter((one) => one.before !== one.after);
    });
    onMounted(async () => {
      await load();
      if (data.value?.length > 1) pair.value = [data.value[1].version, data.value[0].version];
    });
    const ended = (version) => ({ superseded: "已被新的一版代替", withdrawn: "已撤回" })[version.ended_because];
    return { data, loading, error, load, pair, names, differences, ended, minute, NOTICE_FIELDS, TEXTS };
  },
  template: `
    <load-state v-if="error" :error="error" @retry="load"/>
    <div v-else v-loading="loading" class="min">
      <load-state v-if="data && !data.length" empty="还没有发布过。" icon="log"/>
      <template v-else-if="data">
        <section class="panel"><h2>各版</h2><ul class="versions" data-testid="notice-versions"><li v-for="version in data" :key="version.version"><b>第{{ version.version }}版</b>
          <el-tag v-if="version.making" type="warning" size="small" disable-transitions>正在改</el-tag><el-tag v-else-if="version.in_force" type="success" size="small" disable-transitions>现在有效</el-tag><el-tag v-else type="info" size="small" disable-transitions>{{ ended(version) }}</el-tag>
          <span class="sub">{{ version.making ? '' : minute(version.published_at) + ' 发布' }}</span><span class="reason">{{ version.correction_reason ? '更正原因：' + version.correction_reason : '' }}</span></li></ul></section>
        <section v-if="data.length > 1" class="panel"><div class="panel-head"><h2>改了什么</h2><span><el-select v-model="pair[0]" aria-label="从哪一版" class="sizes" style="width: 150px"><el-option v-for="one in names" :key="one.value" v-bind="one"/></el-select> → <el-select v-model="pair[1]" aria-label="到哪一版" style="width: 150px"><el-option v-for="one in names" :key="one.value" v-bind="one"/></el-select></span></div>
          <p v-if="!differences.length" class="nothing">这两版一样。</p>
          <dl class="facts one" data-testid="differences"><div v-for="one in differences" :key="one.name"><dt>{{ NOTICE_FIELDS[one.name] }}</dt><dd><text-changes v-if="TEXTS.includes(one.name)" :before="one.before" :after="one.after"/><template v-else><span class="changes"><del>{{ one.before || '（空）' }}</del> → <ins>{{ one.after || '（空）' }}</ins></span></template></dd></div></dl>
          <p class="hint"><span class="changes"><del>删去的</del> <ins>新加的</ins></span></p></section>
      </template>
    </div>`,
};

// Imports: a roster spreadsheet, or a zip of photos named by ID number; progress, counts, and the rows that were not taken.

import * as api from "../api.js";
import { isOffice, session } from "../session.js";
import LoadState from "../components/load-state.js";
import PlacePicker from "../components/place-picker.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { loader, say } from "../components/ui.js";
import { IMPORT_KIND, minute, word } from "../words.js";

const { computed, onBeforeUnmount, onMounted, reactive, ref, watch } = Vue;
const LARGEST = 32 * 1024 * 1024;
const LOOK_AGAIN = 1000;
const KINDS = {
  roster: { path: "/retirees/imports", ends: /\.(xlsx|xls)$/i, accept: ".xlsx,.xls", what: "Excel 表格（.xlsx）", wrong: "请选择 Excel 表格（.xlsx）。" },
  photos: { path: "/retirees/photo-imports", ends: /\.zip$/i, accept: ".zip", what: "压缩包（.zip）", wrong: "请选择装有照片的 .zip 压缩包。" },
};
const COLUMNS = [
  ["必须有", "姓名、身份证号"],
  ["归到社区", "社区（写名称或12位代码；没有这一栏就在左边选一个社区）"],
  ["联系", "联系电话、机主、居住地址、户籍地、籍贯、紧急联系人、紧急联系人电话"],
  ["退休", "退休时间、退休类别、原企业、企业层级、养老金来源、档案出生日期"],
  ["其他", "性别、健康状况、困难类别、复退军人、参战参试、居住地类别、认证备注"],
];

export default {
  components: { LoadState, PlacePicker, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const kind = computed({
      get: () => (route.query.tab === "photos" && isOffice() ? "photos" : "roster"),
      set: (value) => router.replace({ query: value === "photos" ? { tab: value } : {} }),
    });
    const form = reactive({ file: null, division: session.division.length === 12 ? session.division : "", over: false, wrong: "", busy: false });
    const running = ref(null);
    const { data: recent, error, load } = loader(() => api.get("/retirees/imports"));
    const mine = computed(() => (recent.value || []).filter((row) => row.kind === kind.value));
    const share = computed(() => {
      const row = running.value;
      if (!row) return 0;
      if (row.state === "done") return 100;
      return row.rows ? Math.floor((row.processed / row.rows) * 100) : 0;
    });
    let timer = 0;
    let left = false;

    async function poll(id) {
      clearTimeout(timer);
      try {
        running.value = await api.get(`/retirees/imports/${id}`);
      } catch (problem) {
        if (problem.code !== "offline") return say(problem);
      }
      if (left) return;
      if (["waiting", "running"].includes(running.value?.state)) timer = setTimeout(poll, LOOK_AGAIN, id);
      else load();
    }
    function take(file) {
      form.wrong = "";
      form.file = null;
      if (!file) return;
      if (!KINDS[kind.value].ends.test(file.name)) form.wrong = KINDS[kind.value].wrong;
      else if (file.size > LARGEST) form.wrong = "文件超过32MB，请分成几份再导入。";
      else if (!file.size) form.wrong = "这个文件是空的。";
      else form.file = file;
    }
    const choose = (event) => {
      take(event.target.files[0]);
      event.target.value = "";
    };
    const drop = (event) => {
      form.over = false;
      if (event.dataTransfer.files.length > 1) form.wrong = "一次只能导入一个文件。";
      else take(event.dataTransfer.files[0]);
    };
    async function start() {
      form.busy = true;
      form.wrong = "";
      const body = new FormData();
      body.append("file", form.file);
      if (kind.value === "roster" && form.division) body.append("division", form.division);
      try {
        running.value = await api.upload("POST", KINDS[kind.value].path, body);
        form.file = null;
        poll(running.value.id);
      } catch (problem) {
        form.wrong = problem.fields?.file || problem.fields?.division || problem.message;
      } finally {
        form.busy = false;
      }
    }
    const save = async (row) => {
      try {
        await api.download(row.errors_url, `未通过的记录-${row.file_name.replace(/\.\w+$/, "")}.xlsx`);
      } catch (problem) {
        say(problem);
      }
    };
    const same = (row) => Math.max(0, row.accepted - row.added - row.filled);
    watch(kind, () => {
      take(null);
      if (!["waiting", "running"].includes(running.value?.state)) running.value = null;
    });
    onMounted(async () => {
      await load();
      const going = (recent.value || []).find((row) => ["waiting", "running"].includes(row.state));
      if (going && !running.value) poll(going.id);
    });
    onBeforeUnmount(() => {
      left = true;
      clearTimeout(timer);
    });
    return { kind, form, running, recent, mine, share, error, load, choose, drop, start, save, same, poll, isOffice, session, minute, word, IMPORT_KIND, KINDS, COLUMNS };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>导入</h1><p class="sub">可以放心重复导入同一份名册：按身份证号认人，不会重复，已填好的内容不会被覆盖。</p></div></div>
      <el-tabs v-if="isOffice()" v-model="kind"><el-tab-pane label="导入花名册" name="roster"/><el-tab-pane label="导入登记照片" name="photos"/></el-tabs>
      <section v-if="running" class="panel progress" data-testid="import-progress" aria-live="polite">
        <div class="panel-head"><h2>{{ running.file_name }}</h2><state-tag kind="import" :state="running.state" data-testid="import-state"/></div>
        <p v-if="running.state === 'refused'" class="note bad" role="alert" data-testid="import-refused">{{ running.detail }}</p>
        <template v-else>
          <el-progress :percentage="share" :status="running.state === 'done' ? 'success' : undefined" :stroke-width="14" aria-label="导入进度"/>
          <ul class="counts">
            <li><b data-testid="import-rows">{{ running.rows }}</b>共</li><li><b data-testid="import-processed">{{ running.processed }}</b>已读</li>
            <li class="good-text"><b data-testid="import-added">{{ running.added }}</b>{{ running.kind === 'photos' ? '接收' : '新增' }}</li>
            <li v-if="running.kind === 'roster'"><b data-testid="import-filled">{{ running.filled }}</b>补全</li><li v-if="running.kind === 'roster'"><b data-testid="import-same">{{ same(running) }}</b>原来就有</li>
            <li :class="{ 'bad-text': running.rejected }"><b data-testid="import-rejected">{{ running.rejected }}</b>未通过</li></ul>
          <p v-for="note in running.notes" :key="note" class="note calm">{{ note }}</p>
          <div v-if="running.errors_url" class="note warn after"><span>有 {{ running.rejected }} {{ running.kind === 'photos' ? '张' : '行' }}没有通过。下载后看最后一列的原因，改好再导入。</span>
            <el-button type="primary" @click="save(running)" data-testid="import-errors"><y-icon name="download" size="16"/>&nbsp;下载未通过的记录</el-button></div>
        </template>
      </section>
      <div class="columns two">
        <section class="panel">
          <label class="drop" :class="{ over: form.over, filled: form.file }" @dragover.prevent="form.over = true" @dragleave="form.over = false" @drop.prevent="drop">
            <input type="file" :accept="KINDS[kind].accept" @change="choose" data-testid="import-file">
            <span v-if="form.file"><y-icon name="check" size="30"/><b data-testid="import-chosen">{{ form.file.name }}</b><small>{{ (form.file.size / 1024).toFixed(0) }} KB，点这里可以换一个</small></span>
            <span v-else><y-icon name="upload" size="34"/><b>把文件拖到这里，或点这里选择</b><small>{{ KINDS[kind].what }}，32MB以内</small></span>
          </label>
          <div v-if="kind === 'roster'" class="into"><label class="label">没有“社区”一栏的人，归到</label>
            <place-picker v-if="session.division.length < 12" v-model="form.division" community-only placeholder="不选则每行都要有社区" label="归到社区" data-testid="import-division"/>
            <b v-else>{{ session.area }}</b></div>
          <p v-if="form.wrong" class="note bad" role="alert" data-testid="import-error">{{ form.wrong }}</p>
          <el-button type="primary" size="large" class="wide" :disabled="!form.file" :loading="form.busy" @click="start" data-testid="import-start">开始导入</el-button>
        </section>
        <section class="panel help">
          <template v-if="kind === 'roster'"><h2>表格怎么准备</h2>
            <p>照原来的花名册就行：列的顺序随意，表头前面可以有标题，列名用常见的叫法都认得。</p>
            <dl class="facts one"><div v-for="[title, names] in COLUMNS" :key="title"><dt>{{ title }}</dt><dd>{{ names }}</dd></div></dl>
            <p class="sub">读不准的行不会进名册，会连同原因放进一张表，改好后再导入那张表即可。</p></template>
          <template v-else><h2>照片怎么准备</h2>
            <ul><li>每张照片用本人身份证号作文件名，如 430102195503071216.jpg。</li><li>正面、清楚、一个人；JPG、PNG 或 WebP，每张10MB以内，一次最多20,000张。</li><li>放进一个 .zip 压缩包，不要加密码。</li><li>人要先在名册里。</li></ul>
            <p class="note calm">导入照片不等于本人同意：照片加密保存，本人单独同意以后才提取脸部特征。</p></template>
        </section>
      </div>
      <section class="panel flush"><div class="panel-head pad"><h2>最近的导入</h2></div>
        <load-state v-if="error" :error="error" @retry="load"/>
        <load-state v-else-if="recent && !mine.length" empty="还没有导入过。" icon="upload"/>
        <el-table v-else :data="mine" empty-text=" " data-testid="imports-table">
          <el-table-column label="时间" width="150"><template #default="{ row }">{{ minute(row.created_at) }}</template></el-table-column>
          <el-table-column label="文件" min-width="180" prop="file_name" show-overflow-tooltip/>
          <el-table-column label="状态" width="100"><template #default="{ row }"><state-tag kind="import" :state="row.state"/></template></el-table-column>
          <el-table-column label="结果" min-width="260"><template #default="{ row }"><span v-if="row.state === 'refused'" class="bad-text">{{ row.detail }}</span>
            <span v-else-if="row.kind === 'photos'">共 {{ row.rows }}，接收 {{ row.accepted }}，未通过 {{ row.rejected }}</span>
            <span v-else>共 {{ row.rows }}，新增 {{ row.added }}，补全 {{ row.filled }}，原来就有 {{ same(row) }}，未通过 {{ row.rejected }}</span></template></el-table-column>
          <el-table-column label="" width="140"><template #default="{ row }"><button v-if="row.errors_url" type="button" class="link-button" @click="save(row)"><y-icon name="download" size="15"/> 未通过的记录</button>
            <button v-else-if="row.state === 'waiting' || row.state === 'running'" type="button" class="link-button" @click="poll(row.id)">看进度</button></template></el-table-column>
        </el-table>
      </section>
    </div>`,
};

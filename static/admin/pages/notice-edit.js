// Writing a notice: the form on the left, the phone beside it. Only what was changed is sent, against the version that was
// seen; where a colleague was faster, what was typed stays.

import * as api from "../api.js";
import AudienceBuilder from "../components/audience-builder.js";
import LoadState from "../components/load-state.js";
import NoticeFiles from "../components/notice-files.js";
import PhonePreview from "../components/phone-preview.js";
import RichText from "../components/rich-text.js";
import YIcon from "../components/icon.js";
import { shelf } from "../components/notice-html.js";
import { done, loader, say, sure } from "../components/ui.js";
import { IMPORTANCE, minute, NOTICE_CATEGORY, NOTICE_FIELDS, NOTICE_KIND } from "../words.js";

const { computed, nextTick, onBeforeUnmount, onMounted, reactive, ref } = Vue;
const EMPTY = {
  kind: "announcement", category: "other", importance: "routine", pinned: false, title: "", summary: "", body: "", source: "", document_number: "",
  effective_on: null, expires_on: null, audience: { all: [] },
};
const NAMES = Object.keys(EMPTY);
const same = (one, other) => JSON.stringify(one ?? "") === JSON.stringify(other ?? "");
const number = (version) => Number(version.replace(/\D/g, ""));
const copy = (value) => JSON.parse(JSON.stringify(value));
const formOf = (record) => Object.fromEntries(NAMES.map((name) => [name, copy(record[name] ?? EMPTY[name])]));

export default {
  components: { AudienceBuilder, LoadState, NoticeFiles, PhonePreview, RichText, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const id = ref(route.params.id === "new" ? "" : route.params.id);
    const base = ref({ ...EMPTY, attachments: [], pictures: [], state: "draft", version: 1 });
    const form = reactive(formOf(EMPTY));
    const seen = ref("");
    const errors = ref({});
    const met = ref([]); // what a colleague changed meanwhile as well
    const busy = ref("");
    const savedAt = ref("");
    const pictures = shelf((file) => `/notices/${id.value}/files/${file}`);
    const changed = computed(() => NAMES.filter((name) => !same(form[name], base.value[name])));
    const shown = computed(() => ({ ...base.value, ...form }));

    function take({ record, version }) {
      base.value = record;
      seen.value = version;
    }
    const { loading, error, load } = loader(async () => {
      if (!id.value) return;
      const found = await api.versioned(`/notices/${id.value}`);
      if (found.record.state !== "draft") return router.replace(`/notices/${id.value}`);
      take(found);
      Object.assign(form, formOf(found.record));
    });

    const plain = (name) => (typeof form[name] === "string" ? form[name].trim() || (/_on$/.test(name) ? null : "") : form[name]);
    const content = () => Object.fromEntries((id.value ? changed.value : NAMES).map((name) => [name, plain(name)]));
    async function write() {
      const body = content();
      const reply = await (id.value ? api.patch(`/notices/${id.value}`, body, { ...api.ifMatch(seen.value), whole: true }) : api.post("/notices", body, { whole: true }));
      const typed = Object.keys(body).filter((name) => !same(plain(name), body[name])); // while the reply was on its way
      take({ record: await reply.json(), version: reply.headers.get("ETag") });
      // the text as it was sent: to put the server's into the editor would move the cursor
      if ("body" in body) base.value.body = body.body;
      for (const name of Object.keys(body)) if (!typed.includes(name)) form[name] = copy(base.value[name] ?? EMPTY[name]);
      savedAt.value = new Date().toTimeString().slice(0, 5);
      if (id.value) return;
      id.value = base.value.id;
      router.replace({ path: `/notices/${id.value}/edit` });
    }
    /** Take what is there now, and keep what was typed. */
    async function meet() {
      const found = await api.versioned(`/notices/${id.value}`);
      if (found.record.state !== "draft") {
        await router.replace(`/notices/${id.value}`);
        return;
      }
      const mine = Object.fromEntries(changed.value.map((name) => [name, form[name]]));
      met.value = Object.keys(mine).filter((name) => !same(found.record[name], base.value[name]));
      take(found);
      Object.assign(form, formOf(found.record), mine);
    }
    async function save(after) {
      errors.value = form.title.trim() ? {} : { title: "请先写标题。" };
      if (errors.value.title) {
        nextTick(() => document.querySelector(".beside .is-error")?.scrollIntoView({ block: "center" }));
        return false;
      }
      busy.value = after || "save";
      try {
        if (!id.value || changed.value.length) await write();
        met.value = [];
        if (after === "review") {
          await api.post(`/notices/${id.value}/review-request`);
          done("已送审，请另一位同事审核。");
          return router.push(`/notices/${id.value}`);
        }
        if (!after) done("已保存。");
        return true;
      } catch (problem) {
        if (problem.status === 412) {
          await meet().catch(say);
          say(new api.Problem(412, { detail: "同事刚刚也改过这份草稿，已经合到一起，请看一看再保存。" }));
        } else {
          errors.value = problem.fields || {};
          say(problem);
          nextTick(() => document.querySelector(".beside .is-error")?.scrollIntoView({ block: "center" }));
        }
        return false;
      } finally {
        busy.value = "";
      }
    }
    /** A file belongs to a notice that is there: a new one is saved first. */
    async function send(kind, file) {
      if (!id.value && !(await save("file"))) throw new api.Problem(0, { detail: "先写好标题，才能加图片和附件。" });
      const body = new FormData();
      body.append("file", file);
      const reply = await api.post(`/notices/${id.value}/${kind}`, undefined, { form: body, whole: true });
      const entry = await reply.json();
      base.value[kind].push(entry);
      await follow(reply);
      return entry;
    }
    /** A file counts as a change: go on from the version that it made, unless a colleague changed something in between. */
    async function follow(reply) {
      const version = reply.headers.get("ETag");
      if (number(version) === number(seen.value) + 1) seen.value = version;
      else await meet();
    }
    const upload = async (file) => (await send("pictures", file)).id;
    async function attach(file) {
      busy.value = "attach";
      try {
        await send("attachments", file);
      } catch (problem) {
        say(problem);
      } finally {
        busy.value = "";
      }
    }
    async function detach(file) {
      try {
        const reply = await api.remove(`/notices/${id.value}/files/${file.id}`, { whole: true });
        base.value.attachments = base.value.attachments.filter((one) => one.id !== file.id);
        await follow(reply);
      } catch (problem) {
        say(problem);
      }
    }
    const download = (file) => api.download(`/notices/${id.value}/files/${file.id}`, file.name).catch(say);
    const leaving = (event) => changed.value.length && event.preventDefault();
    VueRouter.onBeforeRouteLeave(async () => !changed.value.length || sure("改动还没有保存，要放弃吗？", "放弃修改", "放弃"));
    onMounted(() => {
      addEventListener("beforeunload", leaving);
      load();
    });
    onBeforeUnmount(() => {
      removeEventListener("beforeunload", leaving);
      pictures.drop();
    });
    return { id, base, form, errors, met, busy, savedAt, pictures, changed, shown, loading, error, load, save, upload, attach, detach, download, minute, IMPORTANCE, NOTICE_CATEGORY, NOTICE_FIELDS, NOTICE_KIND };
  },
  template: `
    <div class="page" v-loading="loading">
      <router-link :to="id ? '/notices/' + id : '/notices'" class="link-button back"><y-icon name="left" size="16"/> {{ id ? '这篇通知' : '通知公告' }}</router-link>
      <div class="page-head"><div><h1>{{ base.version > 1 ? '更正通知（第' + base.version + '版）' : id ? '修改草稿' : '写通知' }}</h1><p class="sub">边写边看老人手机上的样子。</p></div></div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <template v-else>
        <p v-if="base.sent_back" class="note warn" data-testid="sent-back">退回修改：{{ base.sent_back.reason }}<span class="sub">（{{ minute(base.sent_back.at) }}）</span></p>
        <p v-if="base.version > 1" class="note brand">更正原因：{{ base.correction_reason }}。新一版发布以前，大家看到的还是上一版。</p>
        <p v-if="met.length" class="note warn" role="alert">同事刚刚也改了：{{ met.map((name) => NOTICE_FIELDS[name]).join('、') }}。您写的还在，保存后以您的为准。</p>
        <div class="beside"><el-form label-position="top" @submit.prevent="save()">
          <section class="panel"><h2>写什么</h2>
            <div class="fields-grid">
              <el-form-item label="种类"><el-radio-group v-model="form.kind" aria-label="种类"><el-radio-button v-for="(name, one) in NOTICE_KIND" :key="one" :value="one">{{ name }}</el-radio-button></el-radio-group></el-form-item>
              <el-form-item label="类别"><el-select v-model="form.category" aria-label="类别" data-testid="notice-category"><el-option v-for="(name, one) in NOTICE_CATEGORY" :key="one" :value="one" :label="name"/></el-select></el-form-item></div>
            <el-form-item label="标题" :error="errors.title" required><el-input v-model="form.title" maxlength="80" show-word-limit aria-label="标题" data-testid="notice-title"/></el-form-item>
            <el-form-item label="一句话说明" :error="errors.summary" required><el-input v-model="form.summary" type="textarea" :autosize="{ minRows: 2, maxRows: 6 }" maxlength="200" show-word-limit aria-label="一句话说明" placeholder="像当面告诉老人那样写：什么事、要不要做、几号以前、去哪里" data-testid="notice-summary"/>
              <p class="field-hint">老人先看到、先听到的就是这一段，最多 200 字。</p></el-form-item>
            <el-form-item label="正文" :error="errors.body || errors.text" required><rich-text v-if="!loading" v-model="form.body" :pictures="pictures" :upload="upload"/></el-form-item>
            <el-form-item label="附件"><notice-files :files="base.attachments" editable :busy="busy === 'attach'" @add="attach" @remove="detach" @save="download"/></el-form-item>
          </section>
          <section class="panel"><h2>依据和期限</h2>
            <div class="fields-grid">
              <el-form-item label="来源（发文单位）" :error="errors.source"><el-input v-model="form.source" maxlength="80" aria-label="来源" placeholder="如 市人力资源和社会保障局" data-testid="notice-source"/></el-form-item>
              <el-form-item label="文号" :error="errors.document_number"><el-input v-model="form.document_number" maxlength="60" aria-label="文号" placeholder="如 人社厅发〔2018〕107号"/></el-form-item>
              <el-form-item label="从哪天起施行" :error="errors.effective_on"><span class="day"><el-date-picker v-model="form.effective_on" type="date" value-format="YYYY-MM-DD" placeholder="没有就不填" aria-label="施行日期"/></span></el-form-item>
              <el-form-item label="到哪天为止有效" :error="errors.expires_on"><span class="day"><el-date-picker v-model="form.expires_on" type="date" value-format="YYYY-MM-DD" placeholder="一直有效就不填" aria-label="有效期最后一天"/></span><p class="field-hint">过了这天，资料库里就不再显示。</p></el-form-item>
            </div></section>
          <section class="panel"><h2>有多要紧</h2>
            <el-form-item><el-radio-group v-model="form.importance" aria-label="要紧程度"><el-radio-button v-for="(name, one) in IMPORTANCE" :key="one" :value="one" :data-testid="'importance-' + one">{{ name }}</el-radio-button></el-radio-group>
              <p class="field-hint">{{ { routine: '一般：进收件箱，有微信授权的发微信。', important: '重要：没读的人会再收到短信，还没读的进电话名单。', emergency: '紧急：不分昼夜马上发，不受每天条数限制。只用于停水停电、灾害、诈骗预警等。' }[form.importance] }}</p></el-form-item>
            <el-checkbox v-model="form.pinned">在资料库里置顶</el-checkbox></section>
          <section class="panel" data-testid="audience"><h2>发给谁</h2><p v-if="errors.audience" class="bad-text" role="alert">{{ errors.audience }}</p><audience-builder v-if="!loading" v-model="form.audience"/></section>
          <div class="save-bar"><el-button native-type="submit" :loading="busy === 'save'" data-testid="notice-save">保存草稿</el-button>
            <el-button type="primary" :loading="busy === 'review'" @click="save('review')" data-testid="notice-review-request">送审</el-button>
            <span class="sub" role="status" data-testid="save-state">{{ changed.length ? '有改动没保存' : savedAt ? savedAt + ' 已保存' : '' }}</span></div>
        </el-form>
        <aside><phone-preview :notice="shown" :pictures="pictures"/></aside></div>
      </template>
    </div>`,
};

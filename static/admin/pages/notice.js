// One notice: as readers see it, who it is for, what became of it, its versions; and the next step of whoever may take it.

import * as api from "../api.js";
import { refreshWaiting, session } from "../session.js";
import LoadState from "../components/load-state.js";
import NoticeFiles from "../components/notice-files.js";
import NoticeReach from "../components/notice-reach.js";
import NoticeVersions from "../components/notice-versions.js";
import PhonePreview from "../components/phone-preview.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { audienceWords } from "../components/audience-builder.js";
import { inWords } from "../components/audience.js";
import { done, loader, say, sure } from "../components/ui.js";
import { IMPORTANCE, minute, NOTICE_CATEGORY, NOTICE_KIND, word } from "../words.js";

const { computed, onMounted, reactive, watch } = Vue;
const MAKING = ["draft", "in_review", "approved"];
const TABS = ["content", "reach", "versions"];
/** What is asked before a step: its title, what it means, whether a reason is needed, the button. */
const STEPS = {
  approve: { title: "审核通过", what: "请确认内容、依据和发送对象都没有问题。通过后就可以发布。", reason: "可以不写", least: 0, go: "通过", type: "success" },
  refuse: { title: "退回修改", what: "退回给编写的同事修改。", reason: "请写明哪里要改", least: 2, go: "退回", type: "danger" },
  disagree: { title: "不同意，撤回", what: "撤回后大家看不到内容，收件箱里只留一句“已撤回”。撤回后不能恢复。", reason: "为什么不同意", least: 2, go: "撤回", type: "danger" },
  publish: { title: "发布通知", what: "发布后马上送到每个人的收件箱，并按规则用微信、短信提醒。发给谁在这时定下来。", go: "发布", type: "primary" },
  emergency: { title: "紧急发布", what: "不等审核，马上发出，夜间也发。另一位同事要随后补审，不同意就会撤回。", reason: "为什么等不及审核", least: 2, go: "马上发布", type: "danger" },
  withdraw: { title: "撤回通知", what: "撤回后大家看不到内容，收件箱里只留一句“已撤回”，还没发出的提醒不再发。撤回后不能恢复。", reason: "为什么撤回", least: 2, go: "撤回", type: "danger" },
  correct: { title: "更正通知", what: "会写一份新的草稿，照样要审核。新的一版发布以前，大家看到的还是现在这一版。", reason: "更正什么（读者看得到）", least: 2, go: "开始更正", type: "primary" },
};

export default {
  components: { LoadState, NoticeFiles, NoticeReach, NoticeVersions, PhonePreview, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const id = computed(() => route.params.id);
    const asking = reactive({ open: false, step: "", reason: "", at: "", later: false, busy: false });
    /** Those of the office that owns the notice, whoever reads this: a street would count all its communities. */
    const count = (notice) => api.post("/audiences/count", { expression: { all: [{ field: "division", op: "is", value: notice.division }, notice.audience] } }).catch(() => null);
    const { data, loading, error, load } = loader(async () => {
      const [found, words] = await Promise.all([api.versioned(`/notices/${id.value}`), audienceWords()]);
      const notice = found.record;
      const counted = MAKING.includes(notice.state) ? await count(notice) : null;
      return { notice, version: found.version, audience: inWords(notice.audience, words.fields, words.names, `${notice.division_name}的全部人员`), counted };
    });
    const sent = computed(() => Boolean(data.value?.notice.published_at));
    const tab = computed({
      get: () => (TABS.includes(route.query.tab) && (sent.value || route.query.tab === "content") ? route.query.tab : "content"),
      set: (value) => router.replace({ query: value === "content" ? {} : { tab: value } }),
    });
    const making = computed(() => MAKING.includes(data.value.notice.state));
    const mayTakeBack = computed(() => data.value.notice.division === session.division && data.value.notice.state !== "draft" && making.value);
    function ask(step) {
      Object.assign(asking, { open: true, step, reason: "", at: "", later: false, busy: false });
    }
    const what = computed(() => STEPS[asking.step] || {});
    const ready = computed(() => asking.reason.trim().length >= (what.value.least || 0) && (!asking.later || asking.at));
    async function go() {
      const { step } = asking;
      const reason = asking.reason.trim();
      const path = `/notices/${id.value}`;
      asking.busy = true;
      try {
        if (["approve", "refuse", "disagree"].includes(step)) await api.post(`${path}/review`, { approve: step === "approve", reason }, api.ifMatch(data.value.version));
        else if (step === "publish" || step === "emergency") {
          const body = step === "emergency" ? { emergency_reason: reason } : { publish_at: asking.later ? `${asking.at}:00+08:00` : null };
          await api.post(`${path}/publication`, body);
        } else if (step === "withdraw") await api.post(`${path}/withdrawal`, { reason });
        else await api.post(`${path}/corrections`, { reason });
        done({ approve: "已通过。", refuse: "已退回。", disagree: "已撤回。", publish: asking.later ? "到时间会自动发布。" : "已发布，正在送出。", emergency: "已发布，正在送出。", withdraw: "已撤回。", correct: "可以改了，改好后送审。" }[step]);
        asking.open = false;
        if (step === "correct") return router.push(`${path}/edit`);
      } catch (problem) {
        say(problem);
        if (problem.status === 412 || problem.status === 409) asking.open = false;
        else return;
      } finally {
        asking.busy = false;
      }
      fresh();
    }
    const fresh = () => {
      load();
      refreshWaiting();
    };
    async function simply(work, said, to = "") {
      try {
        await work();
        done(said);
        if (to) return router.push(to);
      } catch (problem) {
        say(problem);
      }
      fresh();
    }
    const requestReview = () => simply(() => api.post(`/notices/${id.value}/review-request`), "已送审，请另一位同事审核。");
    const takeBack = () => simply(() => api.remove(`/notices/${id.value}/review-request`), "已取回，可以修改了。", `/notices/${id.value}/edit`);
    async function discard() {
      const correcting = data.value.notice.in_force;
      if (!(await sure(correcting ? "这次更正会删掉，已发布的一版不变。" : "草稿和里面的图片、附件都会删掉。", correcting ? "放弃更正" : "删除草稿", "删除"))) return;
      await simply(() => api.remove(`/notices/${id.value}`), "已删除。", correcting ? "" : "/notices");
    }
    const download = (file) => api.download(`/notices/${id.value}/files/${file.id}`, file.name).catch(say);
    const past = (date) => date.getTime() < Date.now() - 86_400_000;
    onMounted(load);
    watch(id, (now) => {
      if (!now || !/^\/notices\/[0-9a-f]{24}$/.test(route.path)) return;
      data.value = null;
      load();
    });
    return { id, asking, data, loading, error, load, sent, tab, making, mayTakeBack, ask, what, ready, go, requestReview, takeBack, discard, download, past, minute, word, IMPORTANCE, NOTICE_CATEGORY, NOTICE_KIND };
  },
  template: `
    <div class="page" v-loading="loading && !data">
      <router-link to="/notices" class="link-button back"><y-icon name="left" size="16"/> 通知公告</router-link>
      <load-state v-if="error && !data" :error="error" @retry="load"><router-link to="/notices">回到通知公告</router-link></load-state>
      <template v-else-if="data">
        <div class="page-head"><div><h1 data-testid="notice-heading">{{ data.notice.title }}</h1>
          <p class="sub"><state-tag kind="notice" :state="data.notice.state" data-testid="notice-state"/> <state-tag v-if="data.notice.importance !== 'routine'" kind="importance" :state="data.notice.importance"/> {{ data.notice.division_name }} · {{ word(NOTICE_KIND, data.notice.kind) }} · {{ word(NOTICE_CATEGORY, data.notice.category) }}<template v-if="data.notice.version > 1"> · 第{{ data.notice.version }}版</template></p></div>
          <div class="person-do">
            <template v-if="data.notice.may_edit"><router-link :to="'/notices/' + id + '/edit'" class="el-button" data-testid="notice-edit">修改</router-link><el-button @click="discard" data-testid="notice-discard">{{ data.notice.in_force ? '放弃更正' : '删除草稿' }}</el-button>
              <el-button v-if="data.notice.may_publish" type="danger" @click="ask('emergency')" data-testid="notice-emergency">紧急发布</el-button><el-button type="primary" @click="requestReview" data-testid="notice-review-request">送审</el-button></template>
            <el-button v-if="mayTakeBack" @click="takeBack" data-testid="notice-take-back">取回修改</el-button>
            <template v-if="data.notice.may_review"><el-button type="danger" plain @click="ask(data.notice.awaits_review ? 'disagree' : 'refuse')" data-testid="notice-refuse">{{ data.notice.awaits_review ? '不同意，撤回' : '退回修改' }}</el-button><el-button type="success" @click="ask('approve')" data-testid="notice-approve">通过</el-button></template>
            <el-button v-if="data.notice.may_publish && data.notice.state === 'approved'" type="primary" @click="ask('publish')" data-testid="notice-publish">{{ data.notice.publish_at ? '改发布时间' : '发布' }}</el-button>
            <el-button v-if="data.notice.may_correct" @click="ask('correct')" data-testid="notice-correct">更正</el-button>
            <el-button v-if="data.notice.may_withdraw && !(data.notice.may_review && data.notice.awaits_review)" type="danger" plain @click="ask('withdraw')" data-testid="notice-withdraw">撤回</el-button></div></div>
        <p v-if="data.notice.state === 'in_review' && !data.notice.may_review" class="note calm">等另一位同事审核：写过这篇的人不能审。</p>
        <p v-if="data.notice.state === 'approved' && data.notice.publish_at" class="note brand" data-testid="notice-scheduled">已定于 {{ minute(data.notice.publish_at) }} 自动发布。</p>
        <p v-if="data.notice.sent_back" class="note warn" data-testid="sent-back">{{ data.notice.sent_back.by?.name || '系统' }}退回：{{ data.notice.sent_back.reason }}<span class="sub">（{{ minute(data.notice.sent_back.at) }}）</span></p>
        <p v-if="data.notice.emergency" class="note" :class="data.notice.awaits_review ? 'warn' : 'calm'" data-testid="notice-unreviewed">{{ data.notice.emergency.by?.name }}紧急发布，原因：{{ data.notice.emergency.reason }}。{{ data.notice.awaits_review ? '还没有人补审。' : '已由' + (data.notice.reviewer?.name || '同事') + '补审。' }}</p>
        <p v-if="data.notice.withdrawal" class="note bad" data-testid="notice-withdrawn">{{ data.notice.withdrawal.by?.name }}于 {{ minute(data.notice.withdrawal.at) }} 撤回：{{ data.notice.withdrawal.reason }}</p>
        <p v-if="making && data.notice.in_force" class="note brand">正在更正：{{ data.notice.correction_reason }}。大家现在看到的是第{{ data.notice.in_force }}版。</p>
        <el-tabs v-model="tab"><el-tab-pane label="内容" name="content"/><el-tab-pane v-if="sent" label="送达和阅读" name="reach"/><el-tab-pane v-if="sent" label="版本" name="versions"/></el-tabs>
        <div v-if="tab === 'content'" class="beside">
          <div><section class="panel"><h2>发给谁</h2><p data-testid="notice-audience">{{ data.audience }}</p>
              <p v-if="data.counted" class="hint">现在是 {{ data.counted.people.toLocaleString() }} 人，其中 {{ data.counted.nobody.toLocaleString() }} 人手机送不到。发布时定下名单。</p></section>
            <section class="panel"><h2>基本情况</h2><dl class="facts one">
              <div><dt>编写</dt><dd>{{ data.notice.author?.name || '—' }}</dd></div><div><dt>审核</dt><dd>{{ data.notice.reviewer ? data.notice.reviewer.name + '，' + minute(data.notice.reviewed_at) : '还没有' }}</dd></div>
              <div><dt>{{ making && data.notice.in_force ? '上一版发布' : '发布' }}</dt><dd>{{ data.notice.published_at ? minute(data.notice.published_at) : '还没有' }}</dd></div>
              <div><dt>来源</dt><dd>{{ [data.notice.source, data.notice.document_number].filter(Boolean).join(' ') || '—' }}</dd></div>
              <div><dt>施行</dt><dd>{{ data.notice.effective_on || '—' }}</dd></div><div><dt>有效期到</dt><dd>{{ data.notice.expires_on || '一直有效' }}</dd></div>
              <div><dt>要紧程度</dt><dd>{{ word(IMPORTANCE, data.notice.importance) }}{{ data.notice.pinned ? '，置顶' : '' }}</dd></div></dl></section>
            <section class="panel"><h2>附件</h2><notice-files :files="data.notice.attachments" @save="download"/></section></div>
          <aside><phone-preview :key="data.version" :notice="data.notice"/></aside></div>
        <notice-reach v-else-if="tab === 'reach'" :notice="data.notice"/>
        <notice-versions v-else :notice="data.notice"/>
        <el-dialog v-model="asking.open" :title="what.title" width="520" align-center append-to-body>
          <p class="hint">{{ what.what }}</p>
          <template v-if="asking.step === 'publish'"><p><b>{{ data.audience }}</b><template v-if="data.counted">，现在 {{ data.counted.people.toLocaleString() }} 人</template></p>
            <el-radio-group v-model="asking.later" aria-label="什么时候发布"><el-radio-button :value="false">现在</el-radio-button><el-radio-button :value="true" data-testid="publish-later">定时</el-radio-button></el-radio-group>
            <p v-if="asking.later" class="day" style="margin-top: 12px"><el-date-picker v-model="asking.at" type="datetime" format="YYYY-MM-DD HH:mm" value-format="YYYY-MM-DDTHH:mm" :disabled-date="past" placeholder="哪天几点" aria-label="发布时间" data-testid="publish-at"/></p></template>
          <el-input v-if="what.reason" v-model="asking.reason" type="textarea" :rows="3" maxlength="300" show-word-limit :placeholder="what.reason" aria-label="原因" data-testid="step-reason"/>
          <template #footer><el-button @click="asking.open = false">取消</el-button><el-button :type="what.type" :loading="asking.busy" :disabled="!ready" @click="go" data-testid="step-go">{{ what.go }}</el-button></template>
        </el-dialog>
      </template>
    </div>`,
};

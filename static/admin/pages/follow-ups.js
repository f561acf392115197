// Follow-ups: who asked for a person instead of the machine, or did not understand a message.

import * as api from "../api.js";
import { refreshWaiting } from "../session.js";
import CertifyDialog from "../components/certify-dialog.js";
import LoadState from "../components/load-state.js";
import MaskedValue from "../components/masked-value.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { done, loader, numberOf, say } from "../components/ui.js";
import { age, FOLLOW_UP, HELP_METHOD, minute, OUTCOME, waited, word } from "../words.js";

const { computed, onMounted, reactive, ref, watch } = Vue;
const EXPLAINED = ["已打电话讲清楚", "已上门讲清楚", "本人已到社区问清楚", "电话打不通，改日再联系"];
const QUICK = ["已上门办理", "本人已到窗口办理", "已视频办理", "电话打不通，改日再联系", "本人已自己认证，不用办了"];

export default {
  components: { CertifyDialog, LoadState, MaskedValue, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const state = computed(() => (route.query.state === "done" ? "done" : "open"));
    const page = computed(() => numberOf(route.query.page, 1));
    const certify = reactive({ open: false, row: null });
    const finish = reactive({ open: false, row: null, outcome: "", busy: false });
    const { data, loading, error, load } = loader(() => api.list("/follow-ups", { state: state.value, page: page.value }));
    const fresh = () => {
      load();
      refreshWaiting();
    };
    onMounted(fresh);
    watch([state, page], () => {
      if (route.path !== "/follow-ups") return;
      data.value = null;
      load();
    });
    const go = (query) => router.push({ query });
    const start = (row) => Object.assign(certify, { open: true, row });
    const ask = (row) => Object.assign(finish, { open: true, row, outcome: "", busy: false });
    async function complete() {
      finish.busy = true;
      try {
        await api.post(`/follow-ups/${finish.row.id}/completion`, { outcome: finish.outcome.trim() });
        done(`${finish.row.retiree.name}的待办已办结。`);
        finish.open = false;
        fresh();
      } catch (problem) {
        say(problem);
        if (problem.code === "follow_up_done" || problem.status === 404) {
          finish.open = false;
          fresh();
        }
      } finally {
        finish.busy = false;
      }
    }
    return { state, page, certify, finish, data, loading, error, load, fresh, go, start, ask, complete, age, minute, waited, word, FOLLOW_UP, HELP_METHOD, OUTCOME, EXPLAINED, QUICK, useTab: computed({ get: () => state.value, set: (value) => go(value === "done" ? { state: "done" } : {}) }) };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>待办</h1><p class="sub">有人申请了人工办理，有人看不懂消息，有的人脸认证停用了要核实。请打电话约好时间再去。</p></div>
        <el-button @click="fresh" :loading="loading"><y-icon name="refresh" size="16"/>&nbsp;刷新</el-button></div>
      <el-tabs v-model="useTab"><el-tab-pane label="没办的" name="open"/><el-tab-pane label="办好的" name="done"/></el-tabs>
      <load-state v-if="error" :error="error" @retry="load"/>
      <div v-else v-loading="loading && !data" class="min">
        <load-state v-if="data && !data.rows.length" :empty="state === 'open' ? '没有待办，都办好了。' : '还没有办结的。'" icon="check"/>
        <ul v-else class="jobs">
          <li v-for="row in data?.rows || []" :key="row.id" class="panel" data-testid="follow-up">
            <div class="job-who"><router-link :to="'/people/' + row.retiree.id"><b>{{ row.retiree.name }}</b></router-link> {{ age(row.retiree.birth) }}岁 · {{ row.retiree.division_name }}
              <state-tag kind="certification" :state="row.retiree.certification.state" size="small"/></div>
            <div class="job-what"><el-tag disable-transitions effect="dark" :type="row.method ? 'primary' : 'warning'">{{ row.method ? word(HELP_METHOD, row.method) : word(FOLLOW_UP, row.kind) }}</el-tag>
              <span>电话 <masked-value :retiree-id="row.retiree.id" field="phone" :value="row.retiree.phone || ''"/></span>
              <span class="sub">{{ minute(row.created_at) }} {{ row.method ? '申请' : '提出' }}<template v-if="state === 'open'">，等了{{ waited(row.created_at) }}</template></span></div>
            <p v-if="row.note" class="job-note">{{ row.kind === 'message_help' ? '看不懂的消息' : '说明' }}：{{ row.note }}</p>
            <p v-if="state === 'open' && row.kind === 'face_locked'" class="job-note">可疑的失败太多，人脸认证已停用。请联系本人核实，再到<router-link :to="'/people/' + row.retiree.id + '?tab=face'">他的页面</router-link>恢复，待办会自动办结。</p>
            <p v-if="state === 'done'" class="job-note">结果：{{ word(OUTCOME, row.outcome) }}<span class="sub">（{{ minute(row.done_at) }}）</span></p>
            <div v-if="state === 'open'" class="job-do"><el-button v-if="row.kind !== 'message_help'" type="primary" @click="start(row)" data-testid="follow-up-certify"><y-icon name="stamp" size="16"/>&nbsp;登记认证</el-button>
              <el-button @click="ask(row)" data-testid="follow-up-done">{{ row.kind === 'message_help' ? '办结' : '只办结' }}</el-button></div>
          </li></ul>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :page-size="20" :current-page="page" layout="total, prev, pager, next" @current-change="(to) => go({ ...(state === 'done' ? { state } : {}), ...(to > 1 ? { page: to } : {}) })"/>
      </div>
      <certify-dialog v-model="certify.open" :retiree="certify.row?.retiree" :method="certify.row?.method || ''" @certified="fresh"/>
      <el-dialog v-model="finish.open" :title="'办结：' + (finish.row?.retiree.name || '')" width="500" align-center append-to-body>
        <p class="hint">{{ finish.row?.kind === 'message_help' ? '请给本人打电话，或上门讲清楚，再写结果。' : '只写结果，不生成认证凭证。已经见到本人的，请用“登记认证”，待办会自动办结。' }}</p>
        <div class="chips" role="group" aria-label="常用结果"><button v-for="one in finish.row?.kind === 'message_help' ? EXPLAINED : QUICK" :key="one" type="button" class="chip" :class="{ on: finish.outcome === one }" @click="finish.outcome = one">{{ one }}</button></div>
        <el-input v-model="finish.outcome" type="textarea" :rows="3" maxlength="300" show-word-limit aria-label="结果" placeholder="至少2个字" data-testid="outcome"/>
        <template #footer><el-button @click="finish.open = false">取消</el-button><el-button type="primary" :disabled="finish.outcome.trim().length < 2" :loading="finish.busy" @click="complete" data-testid="outcome-save">办结</el-button></template>
      </el-dialog>
    </div>`,
};

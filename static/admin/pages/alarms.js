// Alarms about attempts by face: what several attempts show together. The supervisor looks, and says what was found.

import * as api from "../api.js";
import { refreshWaiting } from "../session.js";
import LoadState from "../components/load-state.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { done, loader, numberOf, say } from "../components/ui.js";
import { age, ALARM, FINDING, minute, REASON, RELATION, ROLES, SESSION, waited, word } from "../words.js";

const { computed, onMounted, reactive, watch } = Vue;
const TONE = { harmless: "success", fraud_suspected: "danger" };
const ADVICE = {
  account_several_people: "请先弄清是谁的手机：儿女、邻居帮忙的，多半是登记照片太旧；说不清的，请打电话或上门问这几位本人。",
  device_several_people: "一部手机换了几个账号。请问清手机是谁的、在哪里办的；办事大厅的平板也会这样。",
  same_film: "同一段录像出现在两个人的认证里。请当面或视频见到这几位本人。",
  recorded_as_deceased: "人脸对上了，名册却登记已去世：先核对登记有没有弄错，再核实是谁在办。结果没有发证，已转人工审核。",
  wrong_pass: "抽查的同事认为通过的不是本人。请尽快见到本人；凭证不会自动作废。",
};

export default {
  components: { LoadState, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const state = computed(() => (route.query.state === "closed" ? "closed" : "open"));
    const page = computed(() => numberOf(route.query.page, 1));
    const looking = reactive({ open: false, row: null, finding: "", note: "", busy: false });
    const { data, loading, error, load } = loader(() => api.list("/face-alarms", { state: state.value, page: page.value }));
    const detail = loader(() => api.get(`/face-alarms/${looking.row.id}`));
    const fresh = () => {
      load();
      refreshWaiting();
    };
    onMounted(fresh);
    watch([state, page], () => {
      if (route.path !== "/alarms") return;
      data.value = null;
      load();
    });
    const go = (query) => router.push({ query });
    function look(row) {
      Object.assign(looking, { open: true, row, finding: "", note: "", busy: false });
      detail.data.value = null;
      detail.load();
    }
    async function close() {
      looking.busy = true;
      try {
        await api.post(`/face-alarms/${looking.row.id}/closure`, { finding: looking.finding, note: looking.note.trim() });
        done("已办结。");
      } catch (problem) {
        say(problem);
        if (problem.code !== "alarm_closed" && problem.status !== 404) return;
      } finally {
        looking.busy = false;
      }
      looking.open = false;
      fresh();
    }
    const account = (row) => `${row.account_phone || "微信账号"}（…${row.account.slice(-4)}）`;
    const useTab = computed({ get: () => state.value, set: (value) => go(value === "closed" ? { state: "closed" } : {}) });
    return { state, page, looking, data, loading, error, load, detail, fresh, go, look, close, account, useTab, age, minute, waited, word, ADVICE, ALARM, FINDING, REASON, RELATION, ROLES, SESSION, TONE };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>异常提醒</h1><p class="sub">几次人脸认证放在一起看有些不对劲。提醒不等于有人作假，请核实后写明结果。</p></div>
        <el-button @click="fresh" :loading="loading"><y-icon name="refresh" size="16"/>&nbsp;刷新</el-button></div>
      <el-tabs v-model="useTab"><el-tab-pane label="没核实的" name="open"/><el-tab-pane label="办结的" name="closed"/></el-tabs>
      <load-state v-if="error" :error="error" @retry="load"/>
      <div v-else v-loading="loading && !data" class="min">
        <load-state v-if="data && !data.rows.length" :empty="state === 'open' ? '没有异常提醒。' : '还没有办结的。'" icon="check"/>
        <ul v-else class="jobs">
          <li v-for="row in data?.rows || []" :key="row.id" class="panel" data-testid="alarm" :data-kind="row.kind">
            <div class="job-who"><b>{{ word(ALARM, row.kind) }}</b></div>
            <div class="job-what"><el-tag v-if="state === 'open'" :type="row.late ? 'danger' : 'info'" disable-transitions>等了{{ waited(row.raised_at) }}</el-tag>
              <el-tag v-else :type="TONE[row.finding]" disable-transitions>{{ word(FINDING, row.finding) }}</el-tag>
              <span class="sub">{{ minute(row.raised_at) }} 提醒</span></div>
            <p><template v-for="(one, place) in row.retirees" :key="one.id"><template v-if="place">、</template><router-link :to="'/people/' + one.id">{{ one.name }}</router-link>（{{ age(one.birth) }}岁，{{ one.division_name }}）</template><span v-if="row.others" class="sub" data-testid="alarm-others">{{ row.retirees.length ? '，' : '' }}另有{{ row.others }}人在别的辖区</span></p>
            <p v-if="state === 'closed'" class="job-note">{{ row.note }}<span class="sub">（{{ word(ROLES, row.closed_by) }}，{{ minute(row.closed_at) }}）</span></p>
            <div class="job-do"><el-button :type="state === 'open' ? 'primary' : 'default'" @click="look(row)" data-testid="alarm-look">{{ state === 'open' ? '核实' : '看经过' }}</el-button></div>
          </li></ul>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :page-size="20" :current-page="page" layout="total, prev, pager, next" @current-change="(to) => go({ ...(state === 'closed' ? { state } : {}), ...(to > 1 ? { page: to } : {}) })"/>
      </div>
      <el-dialog v-model="looking.open" :title="word(ALARM, looking.row?.kind)" width="640" align-center append-to-body>
        <p class="hint">{{ ADVICE[looking.row?.kind] }}</p>
        <load-state v-if="detail.error.value" :error="detail.error.value" @retry="detail.load"/>
        <p v-else-if="!detail.data.value" class="nothing" role="status">正在取…</p>
        <template v-else>
          <ul class="lines" data-testid="alarm-attempts">
            <li v-for="one in detail.data.value.attempts" :key="one.id"><router-link :to="'/people/' + one.retiree_id + '?tab=face'"><b>{{ one.retiree_name }}</b></router-link>
              <span class="what">{{ one.reasons.map((reason) => word(REASON, reason)).join('、') || word(SESSION, one.state) }}<br><span class="sub">{{ account(one) }}，{{ one.relation ? word(RELATION, one.relation) : '已解除绑定' }}</span></span>
              <span class="when">{{ minute(one.created_at) }}</span></li></ul>
          <p v-if="detail.data.value.others" class="sub">别的辖区还有{{ detail.data.value.others }}人，这里不显示。</p>
          <template v-if="detail.data.value.may_close">
            <el-radio-group v-model="looking.finding" aria-label="核实结果" data-testid="alarm-finding">
              <el-radio-button v-for="(name, one) in FINDING" :key="one" :value="one" :data-testid="'finding-' + one">{{ name }}</el-radio-button></el-radio-group>
            <p v-if="looking.finding === 'harmless'" class="hint">这几次失败不再计算，因此暂停的手机会立即恢复。个人已停用的人脸认证，请在他的页面恢复。</p>
            <p v-if="looking.finding === 'fraud_suspected'" class="hint">停用和暂停照旧，养老金不受影响。请安排人见到本人，并按规定上报。</p>
            <el-input v-model="looking.note" type="textarea" :rows="3" maxlength="300" show-word-limit aria-label="说明" placeholder="怎么核实的，结果怎样（至少2个字）" data-testid="alarm-note"/>
          </template>
          <p v-else-if="detail.data.value.state === 'open'" class="note calm" data-testid="alarm-beyond">还涉及别处的退休人员，请上级主管部门办结。</p>
        </template>
        <template #footer><el-button @click="looking.open = false">关闭</el-button>
          <el-button v-if="detail.data.value?.may_close" type="primary" :disabled="!looking.finding || looking.note.trim().length < 2" :loading="looking.busy" @click="close" data-testid="alarm-close">办结</el-button></template>
      </el-dialog>
    </div>`,
};

// One retiree: who it is, how the certification stands, and what can be done about it.

import * as api from "../api.js";
import { isOffice, refreshWaiting } from "../session.js";
import CertificateList from "../components/certificates.js";
import CertifyDialog from "../components/certify-dialog.js";
import ContactPanel from "../components/contact-panel.js";
import EditPerson from "../components/edit-person.js";
import FacePanel from "../components/face-panel.js";
import HelpDialog from "../components/help-dialog.js";
import LoadState from "../components/load-state.js";
import MaskedValue from "../components/masked-value.js";
import StateTag from "../components/state-tag.js";
import SuspensionDialog from "../components/suspension-dialog.js";
import YIcon from "../components/icon.js";
import { loader } from "../components/ui.js";
import * as words from "../words.js";

const { computed, onMounted, ref, watch } = Vue;
const TABS = ["facts", "certificates", "face", "contact"];

export default {
  components: { CertificateList, CertifyDialog, ContactPanel, EditPerson, FacePanel, HelpDialog, LoadState, MaskedValue, StateTag, SuspensionDialog, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const id = computed(() => route.params.id);
    const open = ref({ certify: false, edit: false, suspension: false, help: false });
    const asked = ref(0);
    const { data, loading, error, load } = loader(async () => {
      const [{ record, version }, status, certificates] = await Promise.all([
        api.versioned(`/retirees/${id.value}`),
        api.get(`/retirees/${id.value}/certification`),
        api.get(`/retirees/${id.value}/certifications`),
      ]);
      const attempt = status.open_session && isOffice() ? await api.get(`/certification-sessions/${status.open_session}`).catch(() => null) : null;
      return { person: record, version, status, certificates, attempt };
    });
    const tab = computed({
      get: () => (TABS.includes(route.query.tab) ? route.query.tab : "facts"),
      set: (value) => router.replace({ query: { ...route.query, tab: value === "facts" ? undefined : value } }),
    });
    const reload = () => {
      load();
      refreshWaiting();
    };
    function enrol() {
      tab.value = "face";
      asked.value += 1;
    }
    const yes = (value) => (value === true ? "是" : value === false ? "否" : "");
    const groups = computed(() => {
      const one = data.value.person;
      const w = words.word;
      return [
        ["身份", [
          ["name", one.name], ["sex", w(words.SEX, one.sex)], ["id_number", one.id_number, true], ["id_birth", one.id_birth],
          ["recognised_birth", one.recognised_birth], ["verification", w(words.VERIFICATION, one.verification)],
        ]],
        ["联系与居住", [
          ["phone", one.phone, true], ["phone_owner", one.phone_owner], ["division", one.division_name], ["address", one.address, true],
          ["residence_kind", w(words.RESIDENCE_KIND, one.residence_kind)], ["emergency_contact", one.emergency_contact], ["emergency_phone", one.emergency_phone, true],
        ]],
        ["退休", [
          ["enterprise", one.enterprise], ["enterprise_level", w(words.ENTERPRISE_LEVEL, one.enterprise_level)], ["retired_on", one.retired_on],
          ["retirement_kind", w(words.RETIREMENT_KIND, one.retirement_kind)], ["pension_source", one.pension_source],
        ]],
        ["其他情况", [
          ["hukou_place", one.hukou_place], ["native_place", one.native_place], ["health", w(words.HEALTH, one.health)],
          ["hardship", (one.hardship || []).map((kind) => w(words.HARDSHIP, kind)).join("、")], ["veteran", yes(one.veteran)], ["combat_or_test", yes(one.combat_or_test)],
          ...(one.party_member === undefined || one.party_member === null ? [] : [["party_member", yes(one.party_member)]]),
        ]],
        ["人员状态", [
          ["status", w(words.STATUS, one.status)], ["status_reason", one.status_reason],
          ...(one.died_on ? [["died_on", one.died_on]] : []), ["updated_at", words.minute(one.updated_at)],
        ]],
      ];
    });
    onMounted(load);
    watch(id, (now) => now && route.path.startsWith("/people/") && load());
    const back = () => (history.state?.back?.startsWith("/people") || history.state?.back?.startsWith("/follow-ups") ? router.back() : router.push("/people"));
    return { id, open, asked, data, loading, error, load, reload, tab, enrol, groups, back, isOffice, words };
  },
  template: `
    <div class="page" v-loading="loading && !data">
      <button type="button" class="link-button back" @click="back"><y-icon name="left" size="16"/> 返回</button>
      <load-state v-if="error && !data" :error="error" @retry="load"/>
      <template v-else-if="data">
        <section class="panel person-head">
          <div class="person-who">
            <h1 data-testid="person-name">{{ data.person.name }}</h1>
            <span>{{ words.SEX[data.person.sex] }} · {{ words.age(data.person.birth) }}岁 · {{ data.person.division_name }}</span>
            <state-tag v-if="data.person.status !== 'in_care'" kind="status" :state="data.person.status"/>
          </div>
          <div class="person-due">
            <state-tag kind="certification" :state="data.status.state" size="large" data-testid="person-certification"/>
            <span v-if="data.status.state !== 'ended'">到期日 <b data-testid="person-due">{{ data.status.due_on }}</b> <span class="sub">{{ words.dueIn(data.status.due_on) }}</span></span>
            <span class="sub">上次认证 {{ data.status.last_certified_on || '没有' }}</span>
          </div>
          <div v-if="isOffice()" class="person-do">
            <el-button type="primary" size="large" :disabled="data.person.status === 'deceased'" @click="open.certify = true" data-testid="do-certify"><y-icon name="stamp"/>&nbsp;登记认证</el-button>
            <el-button size="large" @click="enrol" data-testid="do-face"><y-icon name="photo"/>&nbsp;登记照片</el-button>
            <el-button size="large" @click="open.edit = true" data-testid="do-edit"><y-icon name="edit"/>&nbsp;编辑</el-button>
          </div>
        </section>
        <p v-if="data.attempt?.state === 'in_review'" class="note brand" role="status">有一次人脸认证等着人工审核。<router-link :to="'/reviews/' + data.attempt.id">去审核</router-link></p>
        <p v-else-if="data.attempt?.state === 'checking'" class="note brand" role="status">刚收到认证照片，系统正在核对。</p>
        <p v-if="data.status.help" class="note warn" role="status">已申请{{ words.word(words.HELP_METHOD, data.status.help.method) }}（{{ words.minute(data.status.help.created_at) }}）。办好后点“登记认证”，待办会自动办结。</p>
        <p v-if="data.status.face_locked" class="note warn" role="status">人脸认证已停用：可疑的失败太多。请核实是谁在办，再到“登记照片与同意”里解锁。</p>
        <p v-else-if="data.status.wants_a_person" class="note warn" role="status">今天人脸认证连续没有通过，请主动联系，安排上门、窗口或视频办理。</p>
        <p v-if="data.person.liveness_note" class="note calm" data-testid="liveness-note"><y-icon name="hand" size="16"/> 认证时不要求做动作：{{ data.person.liveness_note }}</p>
        <p v-if="data.person.birth_differs" class="note calm">认定出生日期与身份证不同：身份证 {{ data.person.id_birth }}，档案认定 {{ data.person.recognised_birth }}。以档案认定为准。</p>
        <section class="panel">
          <el-tabs v-model="tab">
            <el-tab-pane label="基本信息" name="facts">
              <div v-for="[title, rows] in groups" :key="title" class="fact-group"><h2>{{ title }}</h2>
                <dl class="facts"><div v-for="[name, value, covered] in rows" :key="name" :class="{ wide: name === 'address' }"><dt>{{ words.FIELDS[name] }}</dt>
                  <dd><masked-value v-if="covered" :retiree-id="data.person.id" :field="name" :value="value || ''"/>
                    <span v-else-if="value" :data-testid="'fact-' + name">{{ value }}</span><span v-else class="nothing">未填写</span></dd></div></dl></div>
              <div class="fact-group"><h2>认证</h2>
                <dl class="facts"><div class="wide"><dt>{{ words.FIELDS.liveness_note }}</dt><dd>{{ data.person.liveness_note || '没有，认证时会要求做两三个动作' }}</dd></div>
                  <div class="wide"><dt>养老金发放</dt><dd>{{ data.status.state === 'suspended' ? '经办机构已暂停发放' : '没有暂停记录' }}
                    <button v-if="isOffice()" type="button" class="link-button" @click="open.suspension = true" data-testid="do-suspension">{{ data.status.state === 'suspended' ? '登记恢复' : '登记暂停' }}</button></dd></div></dl></div>
              <p class="sub">台账完整度：11项必填里已填 {{ data.person.completeness }} 项。</p>
            </el-tab-pane>
            <el-tab-pane label="认证记录" name="certificates">
              <div v-if="isOffice()" class="buttons right"><el-button @click="open.help = true" data-testid="do-help">转人工办理</el-button></div>
              <certificate-list :rows="data.certificates"/></el-tab-pane>
            <el-tab-pane v-if="isOffice()" label="登记照片与同意" name="face" lazy><face-panel :asked="asked" :retiree="data.person" @changed="load"/></el-tab-pane>
            <el-tab-pane v-if="isOffice()" label="怎样通知" name="contact" lazy><contact-panel :retiree="data.person"/></el-tab-pane>
          </el-tabs>
        </section>
        <certify-dialog v-model="open.certify" :retiree="data.person" :method="data.status.help?.method || ''" @certified="reload"/>
        <edit-person v-if="isOffice()" v-model="open.edit" :person="data.person" :version="data.version" @saved="reload"/>
        <suspension-dialog v-model="open.suspension" :person="data.person" :version="data.version" :suspended="data.status.state === 'suspended'" @saved="reload"/>
        <help-dialog v-model="open.help" :retiree="data.person" @asked="reload"/>
      </template>
    </div>`,
};

// One review: the enrolled photo beside the frames, the figures in words, the history, and the decision.

import * as api from "../api.js";
import { refreshWaiting } from "../session.js";
import CertificateList from "../components/certificates.js";
import FigureList from "../components/figures.js";
import LoadState from "../components/load-state.js";
import MaskedValue from "../components/masked-value.js";
import SecureImage from "../components/secure-image.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { done, loader, say } from "../components/ui.js";
import * as words from "../words.js";

const { computed, onBeforeUnmount, onMounted, ref, watch } = Vue;

const QUICK = {
  true: ["比对照片，是本人", "打电话核实过，是本人", "工作人员认识，是本人", "核对了身份证照片，是本人"],
  false: ["不是本人", "照片看不清，请重新照", "像是翻拍的照片或屏幕", "前后不是同一个人", "不能确定，改为上门核实"],
};
const AT_ONCE = 3;

export default {
  components: { CertificateList, FigureList, LoadState, MaskedValue, SecureImage, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const id = computed(() => route.params.id);
    const pictures = ref([]);
    const at = ref(0);
    const large = ref(false);
    const decision = ref({ open: false, approve: true, reason: "", busy: false });
    const taken = ref("");
    const enrolled = ref("");
    const finding = ref(false);
    let visit = 0;
    let keyed = api.once();

    const { data, loading, error, load } = loader(() => api.get(`/certification-reviews/${id.value}`));
    const waiting = computed(() => data.value?.state === "in_review");
    const groups = computed(() => {
      const found = [];
      for (const picture of pictures.value) {
        if (found.at(-1)?.action !== picture.action) found.push({ action: picture.action, name: words.word(words.ACTION, picture.action), frames: [] });
        found.at(-1).frames.push(picture);
      }
      return found;
    });
    const shown = computed(() => pictures.value[at.value]);
    const name = (picture) => {
      const same = pictures.value.filter((one) => one.action === picture.action);
      return `${words.word(words.ACTION, picture.action)}${same.length > 1 ? ` ${same.indexOf(picture) + 1}/${same.length}` : ""}`;
    };

    function drop() {
      visit += 1;
      pictures.value.forEach((picture) => picture.address && URL.revokeObjectURL(picture.address));
      pictures.value = [];
    }
    async function fetchPictures() {
      drop();
      const mine = visit;
      at.value = 0;
      if (!waiting.value) return;
      pictures.value = data.value.frames.map((frame) => ({ ...frame, address: "", error: "" }));
      const queue = [...pictures.value];
      const take = async () => {
        for (let picture = queue.shift(); picture && mine === visit; picture = queue.shift()) {
          try {
            const address = await api.picture(`/certification-reviews/${id.value}/frames/${picture.number}`);
            if (mine === visit) picture.address = address;
            else URL.revokeObjectURL(address);
          } catch (problem) {
            picture.error = problem.message;
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, take));
    }
    async function begin() {
      large.value = false;
      enrolled.value = "";
      taken.value = "";
      decision.value = { open: false, approve: true, reason: "", busy: false };
      keyed = api.once();
      await load();
      if (data.value) fetchPictures();
    }
    const step = (by) => {
      if (pictures.value.length) at.value = (at.value + by + pictures.value.length) % pictures.value.length;
    };
    function key(event) {
      if (decision.value.open || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      if (event.key === "ArrowLeft") step(-1);
      else if (event.key === "ArrowRight") step(1);
    }
    const ask = (approve) => {
      decision.value = { open: true, approve, reason: "", busy: false };
    };
    async function decide() {
      decision.value.busy = true;
      const body = { approve: decision.value.approve, reason: decision.value.reason.trim() };
      try {
        await api.post(`/certification-reviews/${id.value}/decision`, body, keyed(body));
        done(`${data.value.retiree.name}：已${body.approve ? "通过，认证凭证已生成" : "登记为不通过，会通知本人"}。`);
        decision.value.open = false;
        await next();
      } catch (problem) {
        if (problem.code === "already_decided" || problem.status === 404) {
          decision.value.open = false;
          taken.value = problem.code === "already_decided" ? "这项审核已经有人办过了，您刚才的决定没有生效。" : problem.message;
          await load();
          drop();
          refreshWaiting();
        } else say(problem);
      } finally {
        decision.value.busy = false;
      }
    }
    /** To the review that has waited longest, or back to the empty list. */
    async function next() {
      finding.value = true;
      try {
        const { rows } = await api.list("/certification-reviews", { page_size: 2 });
        refreshWaiting();
        const other = rows.find((row) => row.id !== id.value);
        router.replace(other ? `/reviews/${other.id}` : "/reviews");
      } catch (problem) {
        say(problem);
      } finally {
        finding.value = false;
      }
    }
    onMounted(() => {
      addEventListener("keydown", key);
      begin();
    });
    watch(id, (now) => {
      if (!now || !route.path.startsWith("/reviews/")) return;
      data.value = null;
      scrollTo({ top: 0 });
      begin();
    });
    onBeforeUnmount(() => {
      removeEventListener("keydown", key);
      drop();
    });
    const residence = computed(() => {
      const held = data.value?.residence;
      return held ? [words.word(words.RESIDENCE_KIND, held.kind), held.place].filter(Boolean).join("，") : "没有申报";
    });
    return { id, pictures, at, enrolled, large, decision, taken, finding, data, loading, error, begin, waiting, groups, shown, name, step, ask, decide, next, residence, words, QUICK };
  },
  template: `
    <div class="page" v-loading="loading && !data">
      <router-link to="/reviews" class="link-button back"><y-icon name="left" size="16"/> 待审核</router-link>
      <load-state v-if="error && !data" :error="error" @retry="begin"><router-link to="/reviews">回到待审核</router-link></load-state>
      <template v-else-if="data">
        <div class="page-head review-head"><div><h1><router-link :to="'/people/' + data.retiree.id" data-testid="review-name">{{ data.retiree.name }}</router-link>
          <small>{{ words.SEX[data.retiree.sex] }} · {{ words.age(data.retiree.birth) }}岁 · {{ data.retiree.division_name }}</small></h1>
          <p class="sub">{{ words.minute(data.created_at) }} 提交，等了{{ words.waited(data.created_at) }}</p></div>
          <div v-if="waiting" class="decide">
            <el-button type="success" size="large" @click="ask(true)" data-testid="approve"><y-icon name="check"/>&nbsp;通过</el-button>
            <el-button type="danger" size="large" @click="ask(false)" data-testid="refuse"><y-icon name="cross"/>&nbsp;不通过</el-button></div>
          <el-button v-else type="primary" size="large" :loading="finding" @click="next" data-testid="next">办下一项</el-button></div>
        <p v-if="taken" class="note warn" role="alert" data-testid="taken">{{ taken }}</p>
        <p v-if="!waiting" class="note" :class="data.state === 'passed' ? 'good' : 'calm'" data-testid="decided">这项审核已办：<b>{{ words.word(words.SESSION, data.state) }}</b><template v-if="data.decision_reason">，理由：{{ data.decision_reason }}</template>。照片已按规定删除。</p>
        <p v-else class="note warn" data-testid="reasons">请人看的原因：<b>{{ data.reasons.map((one) => words.word(words.REASON, one)).join('、') || '没有写明' }}</b></p>

        <section v-if="waiting" class="compare">
          <figure class="panel"><figcaption>登记照片</figcaption>
            <div class="photo-frame" v-if="data.enrolled_photo"><secure-image :key="data.id" :path="'/retirees/' + data.retiree.id + '/face/photo'" :alt="data.retiree.name + '的登记照片'" data-testid="enrolled" @shown="enrolled = $event"/></div>
            <div v-else class="photo-frame none"><p><y-icon name="photo" size="34"/><br><b>没有登记照片</b><br>请对照身份证照片，或打电话核实。<br>通过后，这次的正脸照片会成为登记照片。</p></div>
          </figure>
          <figure class="panel"><figcaption>这次的照片<span v-if="shown">：{{ name(shown) }}（第 {{ at + 1 }} 张，共 {{ pictures.length }} 张）</span></figcaption>
            <div class="photo-frame">
              <button v-if="shown?.address" type="button" class="enlarge" @click="large = true" aria-label="放大比对" data-testid="enlarge"><img :src="shown.address" :alt="name(shown)" data-testid="frame"></button>
              <p v-else-if="shown?.error" role="alert">{{ shown.error }}</p><p v-else role="status">{{ pictures.length ? '正在取照片…' : '没有照片' }}</p>
              <button type="button" class="step left" @click="step(-1)" aria-label="上一张" data-testid="previous-frame"><y-icon name="left" size="26"/></button>
              <button type="button" class="step right" @click="step(1)" aria-label="下一张" data-testid="next-frame"><y-icon name="right" size="26"/></button>
            </div>
          </figure>
          <div class="strip panel"><div v-for="group in groups" :key="group.action" class="strip-group"><h2>{{ group.name }}</h2>
            <div><button v-for="picture in group.frames" :key="picture.number" type="button" :class="{ on: picture.number === at }" @click="at = picture.number" :aria-label="name(picture)" :aria-pressed="picture.number === at" :data-testid="'frame-' + picture.number">
              <img v-if="picture.address" :src="picture.address" alt=""><span v-else>{{ picture.error ? '×' : '…' }}</span></button></div></div>
            <p class="hint">点照片放大比对；键盘 ← → 换一张。每张照片的查看都会记入审计日志。</p></div>
        </section>

        <div class="columns two">
          <section class="panel"><h2>机器看到的</h2><figure-list :figures="data.figures || {}"/></section>
          <section class="panel"><h2>本人情况</h2>
            <dl class="facts one">
              <div><dt>身份证号</dt><dd><masked-value :retiree-id="data.retiree.id" field="id_number" :value="data.retiree.id_number"/></dd></div>
              <div><dt>电话</dt><dd><masked-value :retiree-id="data.retiree.id" field="phone" :value="data.retiree.phone || ''"/></dd></div>
              <div><dt>人员状态</dt><dd><state-tag kind="status" :state="data.retiree.status"/></dd></div>
              <div><dt>认证到期日</dt><dd>{{ data.retiree.certification.due_on }} <span class="sub">{{ words.dueIn(data.retiree.certification.due_on) }}</span></dd></div>
              <div><dt>申报居住地</dt><dd>{{ residence }}</dd></div>
              <div><dt>要求的动作</dt><dd>{{ data.actions.map((one) => words.word(words.ACTION, one)).join('、') || '没有（本人做不了动作）' }}</dd></div>
              <div><dt>手机</dt><dd class="device">{{ data.device || '不知道' }}</dd></div>
            </dl>
            <h2>以前的人脸认证</h2>
            <ul v-if="data.attempts_before.length" class="lines" data-testid="attempts">
              <li v-for="attempt in data.attempts_before" :key="attempt.id"><b :class="attempt.state === 'passed' ? 'good-text' : 'bad-text'">{{ words.word(words.SESSION, attempt.state) }}</b>
                <span class="what">{{ attempt.reasons.map((one) => words.word(words.REASON, one)).join('、') }}{{ attempt.decision_reason ? ' 审核：' + attempt.decision_reason : '' }}</span><span class="when">{{ words.minute(attempt.created_at) }}</span></li></ul>
            <p v-else class="nothing">这是第一次。</p>
          </section>
        </div>
        <section class="panel"><h2>认证记录</h2><certificate-list :rows="data.certificates"/></section>

        <el-dialog v-model="decision.open" :title="decision.approve ? '通过：确认是本人' : '不通过'" width="540" align-center append-to-body>
          <p class="hint">{{ decision.approve ? '会马上生成 ' + data.retiree.name + ' 的认证凭证，有效期12个月，并删除这次的照片。' : '会通知本人没有通过，并删除这次的照片。不影响用其他方式认证。' }}决定后不能撤回。</p>
          <p v-if="decision.approve && !data.enrolled_photo" class="note warn">没有登记照片：请确认已经用别的办法核实是本人。</p>
          <p class="label">理由（点一下填入，也可以自己写）</p>
          <div class="chips" role="group" aria-label="常用理由"><button v-for="one in QUICK[decision.approve].filter((text) => data.enrolled_photo || !text.startsWith('比对照片'))" :key="one" type="button" class="chip" :class="{ on: decision.reason === one }" @click="decision.reason = one" data-testid="quick-reason">{{ one }}</button></div>
          <el-input v-model="decision.reason" type="textarea" :rows="3" maxlength="300" show-word-limit placeholder="至少2个字" aria-label="理由" data-testid="decision-reason"/>
          <template #footer><el-button @click="decision.open = false">再看看</el-button>
            <el-button :type="decision.approve ? 'success' : 'danger'" :disabled="decision.reason.trim().length < 2" :loading="decision.busy" @click="decide" data-testid="decide">{{ decision.approve ? '确认通过' : '确认不通过' }}</el-button></template>
        </el-dialog>

        <el-dialog v-model="large" fullscreen append-to-body class="enlarged" :title="data.retiree.name + '：放大比对'">
          <div class="enlarged-pair">
            <figure v-if="data.enrolled_photo"><img v-if="enrolled" :src="enrolled" alt="登记照片"><figcaption>登记照片</figcaption></figure>
            <figure><img v-if="shown?.address" :src="shown.address" :alt="name(shown)"><figcaption v-if="shown">{{ name(shown) }}（{{ at + 1 }}/{{ pictures.length }}）</figcaption></figure>
          </div>
          <div class="enlarged-steps"><el-button size="large" @click="step(-1)"><y-icon name="left"/>&nbsp;上一张</el-button><el-button size="large" @click="step(1)">下一张&nbsp;<y-icon name="right"/></el-button><el-button size="large" type="primary" @click="large = false" data-testid="enlarge-close">关闭</el-button></div>
        </el-dialog>
      </template>
    </div>`,
};

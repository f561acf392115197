// One second look: the enrolled photograph beside the frames, and three answers. Nothing of what the machine measured.

import * as api from "../api.js";
import FigureList from "../components/figures.js";
import LoadState from "../components/load-state.js";
import SecureImage from "../components/secure-image.js";
import YIcon from "../components/icon.js";
import { done, loader, say } from "../components/ui.js";
import { ACTION, age, minute, SECOND_LOOK, SEX, word } from "../words.js";

const { computed, onBeforeUnmount, onMounted, ref, watch } = Vue;
const ANSWERS = [
  { said: "same", name: "是本人", type: "success", icon: "check", what: "看过了，是本人。这次的照片随即删除。" },
  { said: "different", name: "不是本人", type: "danger", icon: "cross", what: "社区会收到待办，上门或打电话核实；上级会收到异常提醒。凭证先不作废，养老金不停。这次的照片随即删除。" },
  { said: "unclear", name: "看不清", type: "info", icon: "eye", what: "照片看不清，没法判断，不计入对错。这次的照片随即删除。" },
];

export default {
  components: { FigureList, LoadState, SecureImage, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const id = computed(() => route.params.id);
    const at = ref(0);
    const seen = ref([0]); // each frame is fetched once, and only when it is looked at
    const chosen = ref(null);
    const open = ref(false);
    const note = ref("");
    const busy = ref(false);
    const taken = ref("");
    let keyed = api.once();

    const { data, loading, error, load } = loader(() => api.get(`/second-looks/${id.value}`));
    const waiting = computed(() => data.value?.state === "waiting");
    const frames = computed(() => data.value?.frames || []);
    const nameOf = (frame) => {
      const same = frames.value.filter((one) => one.action === frame.action);
      return `${word(ACTION, frame.action)}${same.length > 1 ? ` ${same.indexOf(frame) + 1}/${same.length}` : ""}`;
    };
    const show = (number) => {
      at.value = number;
      if (!seen.value.includes(number)) seen.value.push(number);
    };
    const step = (by) => frames.value.length && show((at.value + by + frames.value.length) % frames.value.length);
    function key(event) {
      if (open.value || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      if (event.key === "ArrowLeft") step(-1);
      else if (event.key === "ArrowRight") step(1);
    }
    function begin() {
      at.value = 0;
      seen.value = [0];
      open.value = false;
      taken.value = "";
      keyed = api.once();
      load();
    }
    const ask = (one) => {
      chosen.value = one;
      note.value = "";
      open.value = true;
    };
    async function answer() {
      busy.value = true;
      const body = { answer: chosen.value.said, note: note.value.trim() };
      try {
        await api.post(`/second-looks/${id.value}/answer`, body, keyed(body));
        done(`已记下：${chosen.value.name}。`);
        open.value = false;
        await next();
      } catch (problem) {
        if (problem.code === "already_answered" || problem.status === 404) {
          open.value = false;
          taken.value = problem.message;
          await load();
        } else say(problem);
      } finally {
        busy.value = false;
      }
    }
    /** To the look that has to be made first, or back to the list. */
    async function next() {
      try {
        const { rows } = await api.list("/second-looks", { page_size: 2 });
        const other = rows.find((row) => row.id !== id.value);
        router.replace(other ? `/second-looks/${other.id}` : "/second-looks");
      } catch (problem) {
        say(problem);
      }
    }
    onMounted(() => {
      addEventListener("keydown", key);
      begin();
    });
    onBeforeUnmount(() => removeEventListener("keydown", key));
    watch(id, (now) => {
      if (!now || !route.path.startsWith("/second-looks/")) return;
      data.value = null;
      scrollTo({ top: 0 });
      begin();
    });
    return { id, at, seen, chosen, open, note, busy, taken, data, loading, error, begin, waiting, frames, nameOf, show, step, ask, answer, next, age, minute, word, ANSWERS, SECOND_LOOK, SEX };
  },
  template: `
    <div class="page" v-loading="loading && !data">
      <router-link to="/second-looks" class="link-button back"><y-icon name="left" size="16"/> 抽查</router-link>
      <load-state v-if="error && !data" :error="error" @retry="begin"><router-link to="/second-looks">回到抽查</router-link></load-state>
      <template v-else-if="data">
        <div class="page-head review-head"><div><h1><span data-testid="look-name">{{ data.retiree.name }}</span>
          <small>{{ SEX[data.retiree.sex] }} · {{ age(data.retiree.birth) }}岁 · {{ data.retiree.division_name }}</small></h1>
          <p class="sub">{{ minute(data.created_at) }} 认证<template v-if="waiting">，请在 {{ minute(data.until) }} 前看</template></p></div>
          <div v-if="waiting" class="decide"><el-button v-for="one in ANSWERS" :key="one.said" :type="one.type" size="large" @click="ask(one)" :data-testid="'answer-' + one.said"><y-icon :name="one.icon"/>&nbsp;{{ one.name }}</el-button></div>
          <el-button v-else type="primary" size="large" @click="next" data-testid="next-look">看下一个</el-button></div>
        <p v-if="taken" class="note warn" role="alert" data-testid="look-taken">{{ taken }}</p>
        <template v-if="waiting">
          <p class="note calm">请只看两边是不是同一个人、是不是真人，不用管机器怎么说。拿不准就选“看不清”。</p>
          <section class="compare">
            <figure class="panel"><figcaption>登记照片</figcaption>
              <div class="photo-frame"><secure-image :key="data.id" :path="'/retirees/' + data.retiree.id + '/face/photo'" :alt="data.retiree.name + '的登记照片'" data-testid="look-enrolled"/></div></figure>
            <figure class="panel"><figcaption>这次的照片<span v-if="frames[at]">：{{ nameOf(frames[at]) }}（第 {{ at + 1 }} 张，共 {{ frames.length }} 张）</span></figcaption>
              <div class="photo-frame">
                <secure-image v-for="number in seen" v-show="number === at" :key="data.id + number" :path="'/second-looks/' + data.id + '/frames/' + number" :alt="frames[number] ? nameOf(frames[number]) : ''" data-testid="look-frame"/>
                <button type="button" class="step left" @click="step(-1)" aria-label="上一张"><y-icon name="left" size="26"/></button>
                <button type="button" class="step right" @click="step(1)" aria-label="下一张" data-testid="look-next-frame"><y-icon name="right" size="26"/></button>
              </div></figure>
          </section>
          <section class="panel"><div class="chips" role="group" aria-label="这次的照片"><button v-for="frame in frames" :key="frame.number" type="button" class="chip" :class="{ on: frame.number === at }" :aria-pressed="frame.number === at" @click="show(frame.number)" :data-testid="'look-frame-' + frame.number">{{ nameOf(frame) }}</button></div>
            <p class="hint">键盘 ← → 换一张。每张照片的查看都会记入审计日志。</p></section>
        </template>
        <template v-else>
          <p class="note" :class="data.state === 'different' ? 'bad' : 'calm'" data-testid="look-answered">抽查结果：<b>{{ word(SECOND_LOOK, data.state) }}</b><template v-if="data.note">，说明：{{ data.note }}</template>。照片已按规定删除。</p>
          <p v-if="data.certificate?.questioned_at" class="note warn">凭证 {{ data.certificate.number }} 已标记“有疑问”，仍然有效。请核实后由上级决定怎么办。<router-link :to="'/people/' + data.retiree.id">看本人情况</router-link></p>
          <section class="panel"><h2>机器看到的</h2><figure-list :figures="data.figures || {}"/></section>
        </template>
        <el-dialog v-model="open" :title="chosen?.name" width="520" align-center append-to-body>
          <p class="hint">{{ chosen?.what }}决定后不能撤回。</p>
          <el-input v-model="note" type="textarea" :rows="3" maxlength="300" show-word-limit placeholder="说明（可以不写）" aria-label="说明" data-testid="look-note"/>
          <template #footer><el-button @click="open = false">再看看</el-button><el-button :type="chosen?.type" :loading="busy" @click="answer" data-testid="look-answer">确认：{{ chosen?.name }}</el-button></template>
        </el-dialog>
      </template>
    </div>`,
};

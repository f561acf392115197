// Looking into the camera: one thing at a time, at the pace of somebody of eighty.
//
//   opening → ready → (session) → step 1 … step n → sending → the result page
//   opening → blocked (no camera, refused): photographs one by one instead
//   any → expired (the attempt's time is over): one tap begins anew
//
// A step is: say it, give time to understand, collect frames while it is done, say "好". Nothing counts down.

import { closeCamera, frameOf, openCamera } from "../camera.js";
import { ACTIONS, NEUTRAL, flow, openSession, sendFrames, stepsOf, timeLeft, underWay, wayAfter } from "../certifying.js";
import { randomName } from "../api.js";
import { speak, stop } from "../speech.js";
import { announce } from "../store.js";
import { phrases } from "../words.js";

const { computed, nextTick, onMounted, onUnmounted, reactive, ref } = Vue;
const { useRouter } = VueRouter;

const TIME_TO_READ = 2500; // where nobody reads it aloud
const PAUSE = 1300;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const BLOCKED = {
  NotAllowedError: "没有得到使用摄像头的允许。没关系，可以改成拍照片。",
  NotFoundError: "这部手机上没有找到摄像头。",
  NotReadableError: "摄像头正被别的程序占用。请关掉别的程序，或改成拍照片。",
};

export default {
  setup() {
    const router = useRouter();
    if (!underWay()) router.replace("/certify");
    const page = ref(null);
    const video = ref(null);
    const view = reactive({ stage: "opening", step: 0, collecting: false, well: false, sent: 0, error: "" });
    const session = ref(null);
    const steps = computed(() => (session.value ? stepsOf(session.value) : [NEUTRAL]));
    const action = computed(() => steps.value[view.step]);
    let frames = {};
    let stream = null;
    let key = "";
    let turn = 0; // a newer turn ends the older one, wherever it waits
    let clock = 0;

    onMounted(() => underWay() && open());
    onUnmounted(() => {
      turn += 1;
      clearInterval(clock);
      stop();
      closeCamera(stream);
      document.removeEventListener("visibilitychange", comeBack);
    });
    document.addEventListener("visibilitychange", comeBack);

    async function open() {
      view.stage = "opening";
      view.error = "";
      await nextTick();
      try {
        stream = await openCamera(video.value);
        view.stage = "ready";
        speak("请把脸放进圆框里，准备好了就点开始。");
      } catch (error) {
        view.stage = "blocked";
        view.error = BLOCKED[error.name] || "摄像头没有打开。没关系，可以改成拍照片。";
      }
    }

    async function start() {
      if (view.stage === "starting") return;
      view.stage = "starting";
      view.error = "";
      try {
        session.value = await openSession();
      } catch (error) {
        const way = await wayAfter(error).catch(() => null);
        if (way) router.replace(way);
        view.stage = "ready";
        view.error = error.message;
        return;
      }
      frames = {};
      key = randomName();
      clearInterval(clock);
      clock = setInterval(watchTime, 1000);
      play(0);
    }

    function watchTime() {
      if (view.stage === "step" && timeLeft(session.value) <= 0) expire();
    }

    function expire() {
      turn += 1;
      clearInterval(clock);
      view.stage = "expired";
      speak("这次时间到了，没关系，点再来一次就可以重新开始。");
    }

    /** Play a step, and the ones after it. */
    async function play(step) {
      turn += 1;
      const mine = turn;
      const asked = steps.value[step];
      const { title, hint, frames: count, seconds } = ACTIONS[asked];
      Object.assign(view, { stage: "step", step, collecting: false, well: false, error: "" });
      frames[asked] = [];
      await nextTick();
      page.value.scrollIntoView(); // on a short phone the instruction, the face and the buttons just fit
      announce(title);
      await Promise.all([speak(`${title}。${hint}。`), sleep(TIME_TO_READ)]);
      if (mine !== turn) return;
      view.collecting = true;
      for (let taken = 0; taken < count; taken += 1) {
        await sleep((seconds * 1000) / count);
        if (mine !== turn) return;
        try {
          const frame = await frameOf(video.value);
          if (mine !== turn) return;
          frames[asked].push(frame);
        } catch (error) {
          // one frame that does not come out is none; the others are enough
        }
      }
      view.collecting = false;
      view.well = true;
      await Promise.all([speak(asked === "blink" ? "好了，请睁开眼睛。" : "好。"), sleep(PAUSE)]);
      if (mine !== turn) return;
      if (step + 1 < steps.value.length) play(step + 1);
      else deliver();
    }

    async function deliver() {
      turn += 1;
      clearInterval(clock);
      Object.assign(view, { stage: "sending", sent: 0, error: "" });
      closeCamera(stream);
      speak("做完了，正在发送照片，请稍等。");
      try {
        await sendFrames(session.value, frames, key, (share) => (view.sent = Math.round(share * 100)));
        router.replace(`/certify/result/${session.value.id}`);
      } catch (error) {
        if (error.code === "session_expired") expire();
        else view.error = error.message;
      }
    }

    /** After a telephone call the camera may be gone, and the step has to be done again. */
    async function comeBack() {
      if (document.hidden) {
        turn += 1;
        stop();
        return;
      }
      if (!["ready", "step"].includes(view.stage)) return;
      const lost = !stream || stream.getTracks().some((track) => track.readyState === "ended");
      const at = view.stage === "step" ? view.step : -1;
      if (lost) await open();
      if (at >= 0 && view.stage !== "blocked") play(at);
    }

    /** After the attempt's time, or at the very beginning: the camera again, then one tap. */
    function anew() {
      session.value = null;
      closeCamera(stream);
      open();
    }

    return { ACTIONS, action, anew, deliver, page, phrases, play, start, steps, video, view };
  },
  template: /* html */ `
    <section ref="page" class="page page-camera" :data-stage="view.stage" data-testid="camera">
      <div v-if="view.stage === 'blocked'">
        <h1 class="title" tabindex="-1">摄像头没有打开</h1>
        <p role="alert">{{ view.error }}</p>
        <div class="buttons-even">
          <router-link to="/certify/photos" class="weui-btn btn-even" data-testid="open-photos"><app-icon name="camera"/>改成拍照片</router-link>
          <button type="button" class="weui-btn btn-even" data-testid="camera-again" @click="anew">再打开一次摄像头</button>
          <router-link to="/help" class="weui-btn btn-even" data-testid="cannot"><app-icon name="people"/>请人帮我</router-link>
        </div>
      </div>
      <div v-else-if="view.stage === 'expired'">
        <h1 class="title" tabindex="-1">时间到了，没关系</h1>
        <p role="alert">为了安全，每次认证有三分钟。没做完不要紧，再来一次就好，不算没通过。</p>
        <div class="buttons-even">
          <button type="button" class="weui-btn btn-even" data-testid="start-anew" @click="anew">再来一次</button>
          <router-link to="/help" class="weui-btn btn-even" data-testid="cannot"><app-icon name="people"/>请人帮我</router-link>
        </div>
      </div>
      <div v-else-if="view.stage === 'sending'">
        <h1 class="title" tabindex="-1">{{ view.error ? "没有发出去" : "做完了，正在发送" }}</h1>
        <template v-if="!view.error">
          <p role="status">请稍等，不要关掉这一页。</p>
          <div class="progress" role="progressbar" aria-label="发送进度" aria-valuemin="0" aria-valuemax="100" :aria-valuenow="view.sent">
            <div :style="{ width: view.sent + '%' }"></div>
          </div>
          <p class="centre" data-quiet>{{ view.sent }}%</p>
        </template>
        <template v-else>
          <p role="alert">{{ view.error }}</p>
          <div class="buttons-even">
            <button type="button" class="weui-btn btn-even" data-testid="send-again" @click="deliver">再发一次</button>
            <router-link to="/help" class="weui-btn btn-even" data-testid="cannot"><app-icon name="people"/>请人帮我</router-link>
          </div>
        </template>
      </div>
      <template v-else>
        <div class="instruction">
          <template v-if="view.stage === 'step'">
            <p class="step-count" data-testid="step-count">第 {{ view.step + 1 }} 步，共 {{ steps.length }} 步</p>
            <div class="instruction-row">
              <action-drawing :action="action"/>
              <div>
                <h1 class="title" tabindex="-1" data-testid="instruction" :data-action="action" :data-collecting="view.collecting">
                  <span v-for="phrase in phrases(ACTIONS[action].title)" :key="phrase" class="phrase">{{ phrase }}</span>
                </h1>
                <p>{{ ACTIONS[action].hint }}</p>
              </div>
            </div>
          </template>
          <template v-else-if="view.stage === 'opening'">
            <h1 class="title" tabindex="-1">正在打开摄像头</h1>
            <p>手机如果问您，请点“允许”。</p>
          </template>
          <template v-else>
            <h1 class="title" tabindex="-1">请把脸放进圆框里</h1>
            <p>准备好了，就点“开始”，然后跟着提示慢慢做。</p>
          </template>
        </div>
        <div class="mirror">
          <video ref="video" muted playsinline autoplay aria-label="摄像头画面"></video>
          <svg class="mirror-oval" :class="{ taking: view.collecting }" viewBox="0 0 300 400" aria-hidden="true" preserveAspectRatio="xMidYMid meet">
            <path class="mirror-shade" fill-rule="evenodd" d="M-3000-3000h6300v6400h-6300z M150 20a125 172 0 1 0 .1 0z"/>
            <ellipse cx="150" cy="192" rx="125" ry="172" fill="none"/>
          </svg>
          <svg v-if="view.stage === 'step' && !view.well && action.startsWith('turn')" class="mirror-arrow" :class="action" viewBox="0 0 60 60" aria-hidden="true">
            <path :d="action === 'turn_left' ? 'M30 6 6 30l24 24V38h24V22H30z' : 'M30 6l24 24-24 24V38H6V22h24z'"/>
          </svg>
          <p v-if="view.stage === 'step'" class="mirror-words" data-quiet>
            {{ view.well ? "好，收到了" : view.collecting ? "请慢慢做，正在拍…" : "请听提示，准备好" }}
          </p>
        </div>
        <p v-if="view.error" class="error" role="alert"><app-icon name="alert"/><span>{{ view.error }}</span></p>
        <button v-if="view.stage !== 'step'" type="button" class="weui-btn weui-btn_primary" :disabled="view.stage !== 'ready'" data-testid="begin" @click="start">
          {{ view.stage === "starting" ? "请稍等…" : "开始" }}
        </button>
        <div v-else class="buttons-pair">
          <button type="button" class="weui-btn btn-even" data-testid="step-again" @click="play(view.step)">再来一次这个动作</button>
          <router-link to="/help" class="weui-btn btn-even" data-testid="cannot">我做不了</router-link>
        </div>
      </template>
    </section>
  `,
};

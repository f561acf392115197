// Photographs one by one, where the browser gives no camera stream: one page a step, one to three photographs each.

import { reduced } from "../camera.js";
import { ACTIONS, flow, openSession, sendFrames, stepsOf, timeLeft, underWay, wayAfter } from "../certifying.js";
import { randomName } from "../api.js";
import { phrases } from "../words.js";

const { computed, nextTick, onUnmounted, reactive, ref } = Vue;
const { useRouter } = VueRouter;

const MOST = 3;

export default {
  setup() {
    const router = useRouter();
    if (!underWay()) router.replace("/certify");
    const view = reactive({ stage: "intro", step: 0, busy: false, sent: 0, error: "" });
    const session = ref(null);
    const taken = reactive({}); // step → [{blob, address}]
    const steps = computed(() => (session.value ? stepsOf(session.value) : []));
    const action = computed(() => steps.value[view.step]);
    const photos = computed(() => taken[action.value] || []);
    let key = "";
    let clock = 0;

    onUnmounted(() => {
      clearInterval(clock);
      drop();
    });

    function drop() {
      Object.keys(taken).forEach((step) => {
        taken[step].forEach(({ address }) => URL.revokeObjectURL(address));
        delete taken[step];
      });
    }

    async function start() {
      if (view.busy) return;
      view.busy = true;
      view.error = "";
      try {
        session.value = await openSession();
        key = randomName();
        drop();
        clearInterval(clock);
        clock = setInterval(watchTime, 1000);
        to("step", 0);
      } catch (error) {
        const way = await wayAfter(error).catch(() => null);
        if (way) router.replace(way);
        view.error = error.message;
      } finally {
        view.busy = false;
      }
    }

    function watchTime() {
      if (view.stage === "step" && timeLeft(session.value) <= 0) to("expired", 0);
    }

    function to(stage, step) {
      Object.assign(view, { stage, step, error: "" });
      nextTick(() => document.querySelector("#main h1").focus());
    }

    async function take(event) {
      const files = Array.from(event.target.files || []);
      event.target.value = ""; // so that the same file can be chosen again
      view.error = "";
      view.busy = true;
      const step = action.value;
      for (const file of files.slice(0, MOST - photos.value.length)) {
        try {
          const blob = await reduced(file);
          taken[step] = [...(taken[step] || []), { blob, address: URL.createObjectURL(blob) }];
        } catch (error) {
          view.error = "这张照片打不开，请再拍一张。";
        }
      }
      view.busy = false;
    }

    function again(photo) {
      URL.revokeObjectURL(photo.address);
      taken[action.value] = photos.value.filter((one) => one !== photo);
    }

    function next() {
      if (view.step + 1 < steps.value.length) to("step", view.step + 1);
      else deliver();
    }

    async function deliver() {
      to("sending", view.step);
      view.sent = 0;
      const frames = Object.fromEntries(steps.value.map((step) => [step, taken[step].map(({ blob }) => blob)]));
      try {
        await sendFrames(session.value, frames, key, (share) => (view.sent = Math.round(share * 100)));
        router.replace(`/certify/result/${session.value.id}`);
      } catch (error) {
        if (error.code === "session_expired") to("expired", 0);
        else view.error = error.message;
      }
    }

    return { ACTIONS, MOST, action, again, deliver, flow, next, photos, phrases, start, steps, take, view };
  },
  template: /* html */ `
    <section class="page" :data-stage="view.stage" data-testid="photos">
      <template v-if="view.stage === 'intro' || view.stage === 'expired'">
        <h1 class="title" tabindex="-1">{{ view.stage === "intro" ? "一步一步拍照片" : "时间到了，没关系" }}</h1>
        <p v-if="view.stage === 'expired'" role="alert">为了安全，每次认证有三分钟。没拍完不要紧，再来一次就好，不算没通过。</p>
        <template v-else>
          <p>这里用手机拍照的办法来认证。每一步拍一张照片，一共{{ flow.canDoActions ? "三四步" : "一步" }}，跟着提示做就行。</p>
          <p>请别人帮您拿着手机拍，会更方便。</p>
        </template>
        <p v-if="view.error" class="error" role="alert"><app-icon name="alert"/><span>{{ view.error }}</span></p>
        <div class="buttons-even">
          <button type="button" class="weui-btn btn-even" :disabled="view.busy" data-testid="begin" @click="start">
            <app-icon name="camera"/>{{ view.stage === "intro" ? "开始拍照" : "再来一次" }}
          </button>
          <router-link to="/help" class="weui-btn btn-even" data-testid="cannot"><app-icon name="people"/><span><span class="phrase">我做不了，</span><span class="phrase">请人帮我</span></span></router-link>
        </div>
      </template>
      <template v-else-if="view.stage === 'step'">
        <p class="step-count" data-testid="step-count">第 {{ view.step + 1 }} 步，共 {{ steps.length }} 步</p>
        <h1 class="title" tabindex="-1" data-testid="instruction" :data-action="action">
          <span v-for="phrase in phrases(ACTIONS[action].photo)" :key="phrase" class="phrase">{{ phrase }}</span>
        </h1>
        <div v-if="!photos.length" class="card centre"><action-drawing :action="action" class="drawing-large"/></div>
        <ul v-else class="thumbs">
          <li v-for="(photo, place) in photos" :key="photo.address">
            <img :src="photo.address" :alt="'第' + (place + 1) + '张照片'" data-testid="thumb">
            <button type="button" class="chip" data-testid="retake" @click="again(photo)">重拍<span class="unseen">第{{ place + 1 }}张</span></button>
          </li>
        </ul>
        <p v-if="view.error" class="error" role="alert"><app-icon name="alert"/><span>{{ view.error }}</span></p>
        <label v-if="photos.length < MOST" class="weui-btn file-btn" :class="photos.length ? 'btn-even' : 'weui-btn_primary'">
          <app-icon name="camera"/>{{ view.busy ? "请稍等…" : photos.length ? "再拍一张（可以不拍）" : "拍照" }}
          <input type="file" accept="image/*" capture="user" class="unseen" data-testid="take-photo" @change="take">
        </label>
        <button v-if="photos.length" type="button" class="weui-btn weui-btn_primary" :disabled="view.busy" data-testid="next" @click="next">
          {{ view.step + 1 < steps.length ? "下一步" : "拍完了，发送" }}
        </button>
        <router-link to="/help" class="weui-btn btn-even" data-testid="cannot">我做不了</router-link>
      </template>
      <template v-else>
        <h1 class="title" tabindex="-1">{{ view.error ? "没有发出去" : "拍完了，正在发送" }}</h1>
        <template v-if="!view.error">
          <p role="status">请稍等，不要关掉这一页。</p>
          <div class="progress" role="progressbar" aria-label="发送进度" aria-valuemin="0" aria-valuemax="100" :aria-valuenow="view.sent">
            <div :style="{ width: view.sent + '%' }"></div>
          </div>
        </template>
        <template v-else>
          <p role="alert">{{ view.error }}</p>
          <div class="buttons-even">
            <button type="button" class="weui-btn btn-even" data-testid="send-again" @click="deliver">再发一次</button>
            <router-link to="/help" class="weui-btn btn-even" data-testid="cannot"><app-icon name="people"/>请人帮我</router-link>
          </div>
        </template>
      </template>
    </section>
  `,
};

// Help by people: the window, a visit, a video call; or photographs without actions that a person looks at.

import { cameraOffered } from "../camera.js";
import { FACE_LOCKED, flow, status, underWay } from "../certifying.js";
import HelpMethods from "../components/help_methods.js";
import { useLoad } from "../loading.js";
import { state } from "../store.js";

const { useRoute, useRouter } = VueRouter;

export default {
  components: { HelpMethods },
  setup() {
    const router = useRouter();
    const faceRefused = useRoute().query.face === "no"; // who has just said no is not asked for a photograph
    const arrived = state.notice;
    state.notice = "";
    const load = useLoad(status);

    function withoutActions() {
      if (underWay() && flow.residence) {
        flow.canDoActions = false; // consent and residence were given a moment ago; nobody is asked twice
        router.push(cameraOffered() ? "/certify/camera" : "/certify/photos");
      } else {
        router.push({ path: "/certify", query: { actions: "none" } });
      }
    }

    return { FACE_LOCKED, arrived, faceRefused, load, withoutActions };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">请人帮您办理</h1>
      <p v-if="arrived" class="bar" role="status">{{ arrived }}</p>
      <p>不用人脸也能办，不影响您领养老金。请选一种：</p>
      <load-state :load="load">
        <p v-if="load.data.face_locked && !arrived" class="bar" role="status" data-testid="face-locked">{{ FACE_LOCKED }}</p>
        <help-methods :open="load.data.help"/>
        <ul v-if="!faceRefused && !load.data.wants_a_person && !load.data.open_session" class="cards">
          <li>
            <button type="button" class="card card-link" data-testid="photos-only" @click="withoutActions">
              <app-icon name="hand"/>
              <span class="card-words"><b class="large">我做不了动作</b><span class="soft">只照正面照片，由工作人员核对</span></span>
              <app-icon name="next"/>
            </button>
          </li>
        </ul>
      </load-state>
    </section>
  `,
};

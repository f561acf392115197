// The door to certification: looks where the person stands and leads to the next step. Messages link here.

import * as api from "../api.js";
import { begin, status } from "../certifying.js";
import { useLoad } from "../loading.js";
import { retiree } from "../store.js";

const { useRoute, useRouter } = VueRouter;

export default {
  setup() {
    const router = useRouter();
    const { actions } = useRoute().query; // "none": photographs only, a person decides
    const load = useLoad(async () => {
      const [held, face] = await Promise.all([status(), api.get(`/retirees/${retiree.value.id}/face`)]);
      begin(held.can_do_actions && actions !== "none");
      if (held.open_session) router.replace(`/certify/result/${held.open_session}`);
      else if (held.state === "ended") router.replace("/");
      else if (held.wants_a_person) router.replace("/help");
      else router.replace(face.consent ? "/certify/residence" : "/certify/consent");
      return null;
    });
    return { load };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="unseen" tabindex="-1">开始认证</h1>
      <load-state :load="load"/>
    </section>
  `,
};

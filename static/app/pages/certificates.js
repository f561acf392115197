// Every certificate of a person, the newest first.

import * as api from "../api.js";
import { useLoad } from "../loading.js";
import { retiree } from "../store.js";
import { day } from "../words.js";

export default {
  setup() {
    const load = useLoad(() => api.get(`/retirees/${retiree.value.id}/certifications`));
    return { day, load };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">认证记录</h1>
      <load-state :load="load">
        <p v-if="!load.data.length" class="card" data-testid="no-certificates">这里还没有认证记录。认证成功以后，凭证会放在这里。</p>
        <ul v-else class="cards">
          <li v-for="certificate in load.data" :key="certificate.id">
            <router-link :to="'/certificates/' + certificate.id" class="card card-link" data-testid="certificate-row">
              <app-icon name="check"/>
              <span class="card-words">
                <b class="large">{{ day(certificate.certified_on) }}</b>
                <span>{{ certificate.method_name }}</span>
                <span class="soft">有效到{{ day(certificate.due_on) }}</span>
              </span>
              <app-icon name="next"/>
            </router-link>
          </li>
        </ul>
      </load-state>
    </section>
  `,
};

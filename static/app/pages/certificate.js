// One certificate.

import * as api from "../api.js";
import CertificateFacts from "../components/certificate_facts.js";
import { useLoad } from "../loading.js";
import { retiree } from "../store.js";

const { useRoute } = VueRouter;

export default {
  components: { CertificateFacts },
  setup() {
    const { id } = useRoute().params;
    const load = useLoad(async () => {
      const rows = await api.get(`/retirees/${retiree.value.id}/certifications`);
      const found = rows.find((row) => row.id === id);
      if (!found) throw new api.Problem(404, "not_found", "没有找到这张凭证，请返回认证记录再看看。");
      return found;
    });
    return { load, retiree };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">认证凭证</h1>
      <load-state :load="load">
        <p class="large">{{ retiree.name }}的养老金领取资格认证</p>
        <certificate-facts :certificate="load.data"/>
      </load-state>
    </section>
  `,
};

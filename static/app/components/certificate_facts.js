// What a certificate says.

import { RESIDENCES, day } from "../words.js";

export default {
  props: { certificate: { type: Object, required: true } },
  setup: () => ({ RESIDENCES, day }),
  template: /* html */ `
    <div class="card" data-testid="certificate">
      <dl class="facts">
        <div><dt>凭证编号</dt><dd class="break" data-testid="certificate-number">{{ certificate.number }}</dd></div>
        <div><dt>认证方式</dt><dd data-testid="certificate-method">{{ certificate.method_name }}</dd></div>
        <div><dt>认证日期</dt><dd data-testid="certificate-day">{{ day(certificate.certified_on) }}</dd></div>
        <div><dt>下次到期</dt><dd data-testid="certificate-due">{{ day(certificate.due_on) }}</dd></div>
        <div v-if="certificate.residence"><dt>居住地</dt><dd>{{ RESIDENCES[certificate.residence.kind] }} {{ certificate.residence.place }}</dd></div>
      </dl>
      <a :href="'/verify/' + certificate.code" class="weui-btn btn-even" data-testid="verify"><app-icon name="list"/>查看凭证</a>
    </div>
  `,
};

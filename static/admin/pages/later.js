// For roles whose own pages come with a later version: what will be here, and what can be done now.

import YIcon from "../components/icon.js";
import { session } from "../session.js";
import { LATER, READERS, ROLES } from "../words.js";

export default {
  components: { YIcon },
  setup: () => ({ session, ROLES, parts: LATER[session.role] || [], reads: READERS.includes(session.role) }),
  template: `
    <div class="page">
      <h1>{{ ROLES[session.role] }}</h1>
      <section class="panel later" data-testid="later">
        <y-icon name="later" size="40"/>
        <h2>您的功能正在准备中</h2>
        <p>下面这些会在后续版本里提供：</p>
        <ul><li v-for="part in parts" :key="part">{{ part }}</li></ul>
        <p v-if="reads">现在可以<router-link to="/people">查看人员名册</router-link>。</p>
        <p>也可以先到<router-link to="/account">我的账号</router-link>修改密码、开启身份验证器。</p>
      </section>
    </div>`,
};

// 我的: the people bound to this phone, the letters, consent, signing out.

import * as api from "../api.js";
import { RELATIONS, announce, forgetPerson, loadMe, retiree, state } from "../store.js";

const { ref } = Vue;
const { useRouter } = VueRouter;

export default {
  setup() {
    const router = useRouter();
    const error = ref("");
    const busy = ref(false);

    async function attempt(work) {
      busy.value = true;
      error.value = "";
      try {
        await work();
      } catch (problem) {
        error.value = problem.message;
      } finally {
        busy.value = false;
      }
    }

    const unbind = (person) =>
      attempt(async () => {
        await api.remove(`/me/bindings/${person.id}`);
        await loadMe();
        announce(`已经不再为${person.name}办理`);
        if (!retiree.value) router.replace(state.me.retirees.length ? "/choose" : "/bind");
      });

    const signOut = () =>
      attempt(async () => {
        await api.signOut();
        await router.replace("/sign-in"); // first the page, which shows the people, then the people
        forgetPerson();
      });

    return { RELATIONS, busy, error, retiree, signOut, state, unbind };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">我的</h1>
      <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
      <h2>我为这些人办理</h2>
      <ul class="cards">
        <li v-for="person in state.me.retirees" :key="person.id" class="card">
          <p><b class="large">{{ person.name }}</b> <span class="soft">{{ RELATIONS[person.relation].says }}</span></p>
          <confirm-box ask="解除绑定" :question="'以后不再用这个手机号为' + person.name + '办理，确定吗？想办的时候可以再绑定。'"
            yes="确定解除" :busy="busy" :testid="'unbind-' + person.id" @yes="unbind(person)"/>
        </li>
      </ul>
      <router-link to="/bind" class="weui-btn btn-even" data-testid="add-person"><app-icon name="people"/>再绑定一位</router-link>
      <h2>看得清楚些</h2>
      <letter-sizes/>
      <h2>怎么通知我</h2>
      <router-link to="/mine/reminders" class="weui-btn btn-even" data-testid="to-reminders"><app-icon name="bell"/>微信、短信、电话</router-link>
      <h2>人脸认证的同意</h2>
      <router-link to="/mine/consent" class="weui-btn btn-even" data-testid="to-consent"><app-icon name="list"/>查看或撤回同意</router-link>
      <h2>退出</h2>
      <confirm-box ask="退出登录" question="退出以后，下次要重新用验证码登录。确定退出吗？" yes="确定退出" :busy="busy" testid="sign-out" @yes="signOut"/>
    </section>
  `,
};

// Several people on one phone: for whom now?

import { RELATIONS, choose, retiree, state } from "../store.js";

const { useRouter } = VueRouter;

export default {
  setup() {
    const router = useRouter();
    function pick(person) {
      choose(person.id);
      router.push("/");
    }
    return { RELATIONS, pick, retiree, state };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">现在为谁办理？</h1>
      <ul class="cards">
        <li v-for="person in state.me.retirees" :key="person.id">
          <button type="button" class="card card-link" :aria-current="retiree && retiree.id === person.id ? 'true' : null"
            :data-testid="'person-' + person.id" @click="pick(person)">
            <app-icon name="person"/>
            <span class="card-words">
              <b class="large">{{ person.name }}</b>
              <span class="soft">{{ RELATIONS[person.relation].says }}</span>
              <span v-if="retiree && retiree.id === person.id" class="tag">正在办理</span>
            </span>
            <app-icon name="next"/>
          </button>
        </li>
      </ul>
      <router-link to="/bind" class="weui-btn btn-even" data-testid="add-person">再绑定一位</router-link>
    </section>
  `,
};

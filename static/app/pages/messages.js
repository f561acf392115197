// The inbox: large cards, the newest first.

import { page } from "../inbox.js";
import { useLoad } from "../loading.js";
import { day } from "../words.js";

const { ref } = Vue;

export default {
  setup() {
    const load = useLoad(() => page(1));
    const error = ref("");
    let number = 1;
    async function older() {
      error.value = "";
      try {
        const { rows, total } = await page(number + 1);
        number += 1;
        const known = new Set(load.data.rows.map((row) => row.id)); // a new message moves the pages by one
        load.data = { rows: [...load.data.rows, ...rows.filter((row) => !known.has(row.id))], total };
      } catch (problem) {
        error.value = problem.message;
      }
    }
    return { day, error, load, older };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">我的消息</h1>
      <load-state :load="load">
        <p v-if="!load.data.rows.length" class="card" data-testid="no-messages">还没有消息。有结果的时候会通知您。</p>
        <ul v-else class="cards">
          <li v-for="message in load.data.rows" :key="message.id">
            <router-link :to="'/messages/' + message.id" class="card card-link" data-testid="message-row" :data-read="Boolean(message.read_at)">
              <app-icon name="bell"/>
              <span class="card-words">
                <span v-if="!message.read_at" class="tag tag-new">没看</span>
                <b class="large">{{ message.title }}</b>
                <span class="two-lines">{{ message.body }}</span>
                <span class="soft">{{ day(message.created_at) }}</span>
              </span>
              <app-icon name="next"/>
            </router-link>
          </li>
        </ul>
        <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
        <button v-if="load.data.rows.length < load.data.total" type="button" class="weui-btn btn-even" data-testid="older" @click="older">看更早的消息</button>
      </load-state>
    </section>
  `,
};

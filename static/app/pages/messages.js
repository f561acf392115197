// The inbox: large cards, the newest first.

import MoreRows from "../components/more_rows.js";
import { messages } from "../inbox.js";
import { useList } from "../loading.js";
import { IMPORTANCE, when } from "../words.js";

export default {
  components: { MoreRows },
  setup: () => ({ IMPORTANCE, load: useList(messages), when }),
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">我的消息</h1>
      <load-state :load="load">
        <p v-if="!load.data.rows.length" class="card" data-testid="no-messages">还没有消息。有通知、有结果的时候会放在这里。</p>
        <ul v-else class="cards">
          <li v-for="message in load.data.rows" :key="message.id">
            <div v-if="message.withdrawn" class="card card-withdrawn" data-testid="message-withdrawn">
              <p><span class="tag tag-plain">{{ message.title }}</span></p>
              <p>{{ message.body }}</p>
              <p class="soft">{{ when(message.created_at) }}</p>
            </div>
            <router-link v-else :to="'/messages/' + message.id" class="card card-link" :class="'card-' + message.importance"
              data-testid="message-row" :data-read="Boolean(message.read_at)">
              <app-icon :name="message.importance === 'emergency' ? 'alert' : message.notice_id ? 'list' : 'bell'"/>
              <span class="card-words">
                <span v-if="!message.read_at" class="tag tag-new">没看</span>
                <span v-if="IMPORTANCE[message.importance]" class="tag tag-important">{{ IMPORTANCE[message.importance] }}</span>
                <b class="large">{{ message.title }}</b>
                <span class="two-lines">{{ message.body }}</span>
                <span class="soft">{{ when(message.created_at) }}</span>
              </span>
              <app-icon name="next"/>
            </router-link>
          </li>
        </ul>
        <more-rows :load="load"/>
      </load-state>
    </section>
  `,
};

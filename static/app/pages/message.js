// One message. Opening it marks it read.

import * as api from "../api.js";
import { find } from "../inbox.js";
import { useLoad } from "../loading.js";
import { day } from "../words.js";

const { useRoute, useRouter } = VueRouter;

/** What the button to a page says; a link to a page that this phone does not know gets no button. */
const LINKS = { "/certificates": "查看认证记录", "/certify": "去认证", "/help": "人工办理" };

export default {
  setup() {
    const router = useRouter();
    const { id } = useRoute().params;
    const load = useLoad(async () => {
      const message = await find(id);
      if (!message.read_at) api.put(`/inbox/${id}/read`).catch(() => {}); // then it stays unread, which harms nobody
      return message;
    });
    const known = (link) => link && router.resolve(link).meta.title !== "没有这一页";
    return { LINKS, day, known, load };
  },
  template: /* html */ `
    <section class="page">
      <h1 v-if="!load.data" class="unseen" tabindex="-1">消息</h1>
      <load-state :load="load">
        <h1 class="title" tabindex="-1" data-testid="message-title">{{ load.data.title }}</h1>
        <p class="soft">{{ day(load.data.created_at) }}</p>
        <p class="card large prose" data-testid="message-body">{{ load.data.body }}</p>
        <router-link v-if="known(load.data.link)" :to="load.data.link" class="weui-btn weui-btn_primary" data-testid="message-link">
          {{ LINKS[load.data.link] || "打开看看" }}
        </router-link>
      </load-state>
    </section>
  `,
};

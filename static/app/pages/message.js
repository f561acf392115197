// One message; where it brings a notice, the whole notice. Opening it marks it read, hearing it to the end marks it heard.

import MessageHelp from "../components/message_help.js";
import NoticeText from "../components/notice_text.js";
import { markListened, markRead, message } from "../inbox.js";
import { notice } from "../library.js";
import { useLoad } from "../loading.js";
import { speech } from "../speech.js";
import { choose, retiree } from "../store.js";
import { when } from "../words.js";

const { watch } = Vue;
const { useRoute, useRouter } = VueRouter;

/** What the button to a page says; a link to a page that this phone does not know gets no button. */
const LINKS = { "/certificates": "查看认证记录", "/certify": "去认证", "/help": "人工办理" };

export default {
  components: { MessageHelp, NoticeText },
  setup() {
    const router = useRouter();
    const { id } = useRoute().params;
    const load = useLoad(async () => {
      const found = await message(id);
      // a link from outside may be about the other person whom this phone acts for
      if (found.retiree_id !== retiree.value.id) choose(found.retiree_id);
      if (!found.read_at && !found.withdrawn) markRead(id);
      return { ...found, ...(found.notice_id && !found.withdrawn ? await whole(found.notice_id) : {}) };
    });
    const known = (link) => link && router.resolve(link).meta.title !== "没有这一页";
    watch(() => speech.pagesHeard, () => load.data && markListened(id));
    return { LINKS, known, load, when };
  },
  template: /* html */ `
    <section class="page">
      <h1 v-if="!load.data" class="unseen" tabindex="-1">消息</h1>
      <load-state :load="load">
        <notice-text v-if="load.data.notice" :notice="load.data.notice"/>
        <template v-else>
          <h1 class="title" tabindex="-1" data-testid="message-title">{{ load.data.title }}</h1>
          <p class="soft">{{ when(load.data.created_at) }}</p>
          <p class="card large prose" data-testid="message-body">{{ load.data.body }}</p>
          <p v-if="load.data.gone" class="bar">{{ load.data.gone }}</p>
          <router-link v-if="!load.data.notice_id && known(load.data.link)" :to="load.data.link" class="weui-btn weui-btn_primary" data-testid="message-link">
            {{ LINKS[load.data.link] || "打开看看" }}
          </router-link>
        </template>
        <message-help v-if="load.data.notice" :message="load.data"/>
      </load-state>
    </section>
  `,
};

/** The notice of a message; where it is not to be read any more, why: the message itself still says the most important. */
async function whole(noticeId) {
  try {
    return { notice: await notice(noticeId) };
  } catch (error) {
    if (error.status === 404) return { gone: error.message };
    throw error;
  }
}

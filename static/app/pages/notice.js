// A notice from the library or the first page. To the office it counts like the message that brought it, where there is one.

import MessageHelp from "../components/message_help.js";
import NoticeText from "../components/notice_text.js";
import { markListened, markRead, messageAbout } from "../inbox.js";
import { notice } from "../library.js";
import { useLoad } from "../loading.js";
import { speech } from "../speech.js";
import { state } from "../store.js";

const { watch } = Vue;
const { useRoute } = VueRouter;

export default {
  components: { MessageHelp, NoticeText },
  setup() {
    const { id } = useRoute().params;
    const load = useLoad(async () => {
      // a notice can be read without its message, but not the other way round
      const [shown, message] = await Promise.all([notice(id), messageAbout(id).catch(() => undefined)]);
      if (message && !message.read_at) markRead(message.id);
      return { notice: shown, message };
    });
    watch(() => speech.pagesHeard, () => load.data && load.data.message && markListened(load.data.message.id));
    return { load, state };
  },
  template: /* html */ `
    <section class="page">
      <h1 v-if="!load.data" class="unseen" tabindex="-1">通知</h1>
      <load-state :load="load">
        <notice-text :notice="load.data.notice"/>
        <message-help v-if="load.data.message" :message="load.data.message"/>
        <a v-else-if="state.config.phone" :href="'tel:' + state.config.phone" class="weui-btn btn-even"><app-icon name="phone"/>看不明白，打电话问</a>
      </load-state>
    </section>
  `,
};

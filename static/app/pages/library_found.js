// What was found in the library by words, or what stands there under one heading.

import MoreRows from "../components/more_rows.js";
import NoticeCard from "../components/notice_card.js";
import { notices } from "../library.js";
import { useList } from "../loading.js";
import { CATEGORIES, KINDS } from "../words.js";

const { useRoute } = VueRouter;

export default {
  components: { MoreRows, NoticeCard },
  setup() {
    const { q, category, kind } = useRoute().query;
    const load = useList((mark) => notices({ q, category, kind }, mark));
    const head = q ? `找“${q}”` : CATEGORIES[category] || KINDS[kind] || "全部";
    return { head, load };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">{{ head }}</h1>
      <load-state :load="load">
        <div v-if="!load.data.rows.length" class="card" data-testid="nothing-found">
          <p class="strong">没有找到。</p>
          <p>换一个短一点的词试试，比如“医保”。也可以点下面的“打电话”，问问社区。</p>
        </div>
        <ul v-else class="cards"><li v-for="notice in load.data.rows" :key="notice.id"><notice-card :notice="notice"/></li></ul>
        <more-rows :load="load"/>
      </load-state>
      <router-link to="/library" class="weui-btn btn-even" data-testid="to-library"><app-icon name="search"/>再找别的</router-link>
    </section>
  `,
};

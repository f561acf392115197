// The library: search, what it is about, and the newest.

import MoreRows from "../components/more_rows.js";
import NoticeCard from "../components/notice_card.js";
import { notices } from "../library.js";
import { useList } from "../loading.js";
import { CATEGORIES } from "../words.js";

const { ref } = Vue;
const { useRouter } = VueRouter;

export default {
  components: { MoreRows, NoticeCard },
  setup() {
    const router = useRouter();
    const q = ref("");
    const error = ref("");
    const load = useList((mark) => notices({}, mark));
    function search() {
      error.value = q.value.trim() ? "" : "请先写上要找什么，比如“医保”。";
      if (!error.value) router.push({ path: "/library/found", query: { q: q.value.trim() } });
    }
    return { CATEGORIES, error, load, q, search };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">政策和通知</h1>
      <form novalidate role="search" @submit.prevent="search">
        <text-field v-model="q" label="想找什么？" hint="比如：医保、补贴、体检" type="search" enterkeyhint="search" autocomplete="off"
          maxlength="50" :error="error" data-testid="library-q"/>
        <button type="submit" class="weui-btn weui-btn_primary" data-testid="library-search"><app-icon name="search"/>找一找</button>
      </form>
      <h2>按内容看</h2>
      <nav class="tiles" aria-label="按内容看">
        <router-link v-for="(words, name) in CATEGORIES" :key="name" :to="'/library/found?category=' + name" class="tile tile-words" :data-testid="'category-' + name">{{ words }}</router-link>
        <router-link to="/library/found?kind=question" class="tile tile-words" data-testid="kind-question">常见问题</router-link>
      </nav>
      <h2>最新的</h2>
      <load-state :load="load">
        <p v-if="!load.data.rows.length" class="card" data-testid="no-notices">现在还没有通知。有了会放在这里，也会发到“我的消息”。</p>
        <ul v-else class="cards"><li v-for="notice in load.data.rows" :key="notice.id"><notice-card :notice="notice"/></li></ul>
        <more-rows :load="load"/>
      </load-state>
    </section>
  `,
};

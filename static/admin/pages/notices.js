// Notices: what was written, what waits for a second person, what is published. Filters stand in the address.

import * as api from "../api.js";
import LoadState from "../components/load-state.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { loader, numberOf, useNarrow } from "../components/ui.js";
import { minute, NOTICE_CATEGORY, NOTICE_KIND, NOTICE_STATE, word } from "../words.js";

const { computed, onBeforeUnmount, onMounted, ref, watch } = Vue;

export default {
  components: { LoadState, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const narrow = useNarrow();
    const q = ref(route.query.q || "");
    const page = computed(() => numberOf(route.query.page, 1));
    const go = (change) => router.push({ query: Object.fromEntries(Object.entries({ ...route.query, page: "", ...change }).filter(([, value]) => value)) });
    const state = computed({ get: () => (NOTICE_STATE[route.query.state] ? route.query.state : ""), set: (value) => go({ state: value }) });
    const { data, loading, error, load } = loader(() => api.list("/notices", { q: route.query.q, state: state.value, page: page.value }));
    let typed = 0;
    const search = () => {
      clearTimeout(typed);
      go({ q: q.value.trim() });
    };
    const typing = () => {
      clearTimeout(typed);
      typed = setTimeout(search, 450);
    };
    onMounted(load);
    onBeforeUnmount(() => clearTimeout(typed));
    watch(() => route.fullPath, () => {
      if (route.path !== "/notices") return;
      if (document.activeElement?.id !== "notices-q") q.value = route.query.q || "";
      load();
    });
    const open = (row) => router.push(`/notices/${row.id}`);
    /** What happened last, in a few words. */
    const when = (row) => {
      if (row.state === "published" || row.state === "withdrawn") return `${minute(row.published_at)} 发布`;
      if (row.state === "approved" && row.publish_at) return `定于 ${minute(row.publish_at)} 发布`;
      return `${minute(row.updated_at)} 修改`;
    };
    return { narrow, q, page, state, data, loading, error, load, search, typing, go, open, when, word, NOTICE_CATEGORY, NOTICE_KIND, NOTICE_STATE };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>通知公告</h1><p class="sub" aria-live="polite">{{ data ? '共 ' + data.total.toLocaleString() + ' 篇' : '写好后由另一位同事审核，再发给选定的人。' }}</p></div>
        <router-link to="/notices/new/edit" class="el-button el-button--primary" data-testid="notice-new"><y-icon name="plus" size="16"/>&nbsp;写通知</router-link></div>
      <form class="filters panel" role="search" @submit.prevent="search">
        <el-input id="notices-q" v-model="q" class="q" clearable maxlength="50" @input="typing" @clear="search" placeholder="标题、摘要或正文里的字" aria-label="搜索通知" data-testid="notices-q"><template #prefix><y-icon name="search" size="16"/></template></el-input>
        <div class="chips flat" role="group" aria-label="状态">
          <button type="button" class="chip" :class="{ on: !state }" :aria-pressed="!state" @click="state = ''" data-testid="state-all">全部</button>
          <button v-for="(name, one) in NOTICE_STATE" :key="one" type="button" class="chip" :class="{ on: state === one }" :aria-pressed="state === one" @click="state = one" :data-testid="'state-' + one">{{ name }}</button></div>
      </form>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel flush" v-loading="loading">
        <load-state v-if="data && !data.rows.length" icon="notice" :empty="q || state ? '没有符合条件的通知。' : '还没有通知。写好第一篇，请同事审核后就能发出去。'"/>
        <ul v-else-if="narrow" class="people-cards"><li v-for="row in data?.rows || []" :key="row.id"><router-link :to="'/notices/' + row.id" data-testid="notice-row" :data-state="row.state">
          <span><b>{{ row.title || '（没有标题）' }}</b> <state-tag kind="notice" :state="row.state"/></span>
          <small>{{ word(NOTICE_KIND, row.kind) }} · {{ word(NOTICE_CATEGORY, row.category) }} · {{ row.division_name }} · {{ when(row) }}</small></router-link></li></ul>
        <el-table v-else :data="data?.rows || []" @row-click="open" row-class-name="clickable" data-testid="notices-table" :empty-text="loading ? '正在取…' : ' '">
          <el-table-column label="标题" min-width="300"><template #default="{ row }"><router-link :to="'/notices/' + row.id" @click.stop data-testid="notice-row" :data-state="row.state"><b>{{ row.title || '（没有标题）' }}</b></router-link>
            <span class="tags"><state-tag v-if="row.importance !== 'routine'" kind="importance" :state="row.importance" size="small"/><el-tag v-if="row.pinned" size="small" disable-transitions>置顶</el-tag><el-tag v-if="row.may_review" size="small" type="warning" disable-transitions>等您审核</el-tag><el-tag v-if="row.version > 1" size="small" type="info" disable-transitions>第{{ row.version }}版</el-tag></span></template></el-table-column>
          <el-table-column label="种类" width="96"><template #default="{ row }">{{ word(NOTICE_KIND, row.kind) }}</template></el-table-column>
          <el-table-column label="类别" width="96"><template #default="{ row }">{{ word(NOTICE_CATEGORY, row.category) }}</template></el-table-column>
          <el-table-column label="单位" width="130" prop="division_name" show-overflow-tooltip/>
          <el-table-column label="状态" width="100"><template #default="{ row }"><state-tag kind="notice" :state="row.state"/></template></el-table-column>
          <el-table-column label="时间" width="220"><template #default="{ row }"><span class="sub">{{ when(row) }}</span></template></el-table-column>
        </el-table>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :page-size="20" :current-page="page" :layout="narrow ? 'prev, pager, next' : 'total, prev, pager, next'" :pager-count="narrow ? 5 : 7" @current-change="(to) => go({ page: to > 1 ? to : '' })"/>
      </section>
    </div>`,
};

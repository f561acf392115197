// The review queue: what the machine doubted, the longest waiting first.

import * as api from "../api.js";
import { refreshWaiting } from "../session.js";
import LoadState from "../components/load-state.js";
import YIcon from "../components/icon.js";
import { loader, numberOf, useNarrow } from "../components/ui.js";
import { age, minute, REASON, waited, word } from "../words.js";

const { computed, onMounted, watch } = Vue;

export default {
  components: { LoadState, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const narrow = useNarrow();
    const page = computed(() => numberOf(route.query.page, 1));
    const { data, loading, error, load } = loader(() => api.list("/certification-reviews", { page: page.value }));
    const fresh = () => {
      load();
      refreshWaiting();
    };
    onMounted(fresh);
    watch(page, () => route.path === "/reviews" && load());
    const open = (row) => router.push(`/reviews/${row.id}`);
    const go = (to) => router.push({ query: to > 1 ? { page: to } : {} });
    const late = (instant) => Date.now() - Date.parse(instant) > 2 * 86_400_000;
    return { narrow, page, data, loading, error, load, fresh, open, go, late, age, minute, waited, word, REASON };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>待审核</h1><p class="sub">机器拿不准的人脸认证，请比对照片后决定。等得最久的在最前面。<b v-if="data" data-testid="reviews-total">共 {{ data.total }} 项</b></p></div>
        <el-button @click="fresh" :loading="loading"><y-icon name="refresh" size="16"/>&nbsp;刷新</el-button></div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel flush" v-loading="loading && !data">
        <load-state v-if="data && !data.rows.length" empty="都审核完了，没有等待的。" icon="check"/>
        <ul v-else-if="narrow" class="people-cards"><li v-for="row in data?.rows || []" :key="row.id"><router-link :to="'/reviews/' + row.id" data-testid="review-row">
          <span><b>{{ row.retiree.name }}</b> {{ age(row.retiree.birth) }}岁 <el-tag :type="late(row.created_at) ? 'danger' : 'info'" disable-transitions>等了{{ waited(row.created_at) }}</el-tag></span>
          <small>{{ row.reasons.map((one) => word(REASON, one)).join('、') }}</small></router-link></li></ul>
        <el-table v-else :data="data?.rows || []" @row-click="open" row-class-name="clickable" data-testid="reviews-table" empty-text=" ">
          <el-table-column label="姓名" min-width="100"><template #default="{ row }"><router-link :to="'/reviews/' + row.id" @click.stop data-testid="review-row"><b>{{ row.retiree.name }}</b></router-link></template></el-table-column>
          <el-table-column label="年龄" width="70"><template #default="{ row }">{{ age(row.retiree.birth) }}</template></el-table-column>
          <el-table-column label="社区" min-width="110"><template #default="{ row }">{{ row.retiree.division_name }}</template></el-table-column>
          <el-table-column label="为什么要人看" min-width="280"><template #default="{ row }">{{ row.reasons.map((one) => word(REASON, one)).join('、') }}</template></el-table-column>
          <el-table-column label="登记照片" width="96"><template #default="{ row }">{{ row.retiree.face_enrolled ? '有' : '没有' }}</template></el-table-column>
          <el-table-column label="提交时间" width="150"><template #default="{ row }">{{ minute(row.created_at) }}</template></el-table-column>
          <el-table-column label="已等" width="96"><template #default="{ row }"><b :class="{ 'bad-text': late(row.created_at) }">{{ waited(row.created_at) }}</b></template></el-table-column>
        </el-table>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :page-size="20" :current-page="page" layout="total, prev, pager, next" @current-change="go"/>
      </section>
    </div>`,
};

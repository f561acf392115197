// Second looks: passes that chance has drawn, for a person to look at who does not know what the machine measured.

import * as api from "../api.js";
import LoadState from "../components/load-state.js";
import YIcon from "../components/icon.js";
import { loader, numberOf, useNarrow } from "../components/ui.js";
import { age, minute, SECOND_LOOK, word } from "../words.js";

const { computed, onMounted, watch } = Vue;
const EMPTY = { waiting: "没有要抽查的。抽到的会自动出现在这里。", different: "没有抽查出不是本人的。" };

export default {
  components: { LoadState, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const narrow = useNarrow();
    const state = computed(() => (SECOND_LOOK[route.query.state] ? route.query.state : "waiting"));
    const page = computed(() => numberOf(route.query.page, 1));
    const { data, loading, error, load } = loader(() => api.list("/second-looks", { state: state.value, page: page.value }));
    onMounted(load);
    watch([state, page], () => {
      if (route.path !== "/second-looks") return;
      data.value = null;
      load();
    });
    const go = (to, chosen) => router.push({ query: { ...(chosen !== "waiting" ? { state: chosen } : {}), ...(to > 1 ? { page: to } : {}) } });
    const useTab = computed({ get: () => state.value, set: (chosen) => go(1, chosen) });
    const open = (row) => router.push(`/second-looks/${row.id}`);
    const when = (row) => (state.value === "waiting" ? `请在 ${minute(row.until)} 前看` : minute(row.ended_at));
    return { narrow, state, page, data, loading, error, load, go, useTab, open, when, age, minute, word, SECOND_LOOK, EMPTY };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>抽查</h1><p class="sub">系统自动通过的认证，随机抽出少数几次，请您不看机器的结果、自己比对一遍。本人不会察觉，凭证照常有效。</p></div>
        <el-button @click="load" :loading="loading"><y-icon name="refresh" size="16"/>&nbsp;刷新</el-button></div>
      <el-tabs v-model="useTab"><el-tab-pane v-for="(name, one) in SECOND_LOOK" :key="one" :label="name" :name="one"/></el-tabs>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel flush" v-loading="loading && !data">
        <load-state v-if="data && !data.rows.length" :empty="EMPTY[state] || '还没有。'" icon="check"/>
        <ul v-else-if="narrow" class="people-cards"><li v-for="row in data?.rows || []" :key="row.id"><router-link :to="'/second-looks/' + row.id" data-testid="look-row">
          <span><b>{{ row.retiree.name }}</b> {{ age(row.retiree.birth) }}岁 {{ row.retiree.division_name }}</span><small>{{ when(row) }}{{ row.note ? ' ' + row.note : '' }}</small></router-link></li></ul>
        <el-table v-else :data="data?.rows || []" @row-click="open" row-class-name="clickable" data-testid="looks-table" empty-text=" ">
          <el-table-column label="姓名" min-width="110"><template #default="{ row }"><router-link :to="'/second-looks/' + row.id" @click.stop data-testid="look-row"><b>{{ row.retiree.name }}</b></router-link></template></el-table-column>
          <el-table-column label="年龄" width="80"><template #default="{ row }">{{ age(row.retiree.birth) }}</template></el-table-column>
          <el-table-column label="社区" min-width="130"><template #default="{ row }">{{ row.retiree.division_name }}</template></el-table-column>
          <el-table-column label="认证时间" width="170"><template #default="{ row }">{{ minute(row.created_at) }}</template></el-table-column>
          <el-table-column v-if="state === 'waiting'" label="请在此前看" width="170"><template #default="{ row }">{{ minute(row.until) }}</template></el-table-column>
          <template v-else><el-table-column label="结束时间" width="170"><template #default="{ row }">{{ minute(row.ended_at) }}</template></el-table-column>
            <el-table-column label="说明" min-width="160" prop="note"/></template>
        </el-table>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :page-size="20" :current-page="page" layout="total, prev, pager, next" @current-change="(to) => go(to, state)"/>
      </section>
    </div>`,
};

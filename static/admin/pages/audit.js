// The audit log, day by day, for the auditor.

import * as api from "../api.js";
import LoadState from "../components/load-state.js";
import YIcon from "../components/icon.js";
import { loader, numberOf } from "../components/ui.js";
import { AUDITED, AUDITED_VALUES, auditedValue, ROLES, second, SUBJECT, today, word } from "../words.js";

const { computed, onMounted, watch } = Vue;
const SIZE = 50;

export default {
  components: { LoadState, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const day = computed({
      get: () => (/^\d{4}-\d{2}-\d{2}$/.test(route.query.day || "") ? route.query.day : today()),
      set: (value) => router.push({ query: value && value !== today() ? { day: value } : {} }),
    });
    const page = computed(() => numberOf(route.query.page, 1));
    const { data, loading, error, load } = loader(() => api.list("/audit", { day: day.value, page: page.value, page_size: SIZE }));
    onMounted(load);
    watch([day, page], () => route.path === "/audit" && load());
    const shift = (days) => (day.value = new Date(Date.parse(day.value) + days * 86_400_000).toISOString().slice(0, 10));
    const go = (to) => router.push({ query: { ...route.query, page: to > 1 ? to : undefined } });
    const future = (date) => date.getTime() > Date.parse(`${today()}T23:59:59+08:00`);
    /** What changed: {name, before, after} for every value of an entry. */
    const changes = (row) => {
      const names = [...new Set([...Object.keys(row.before || {}), ...Object.keys(row.after || {})])];
      return names.map((name) => ({
        name: AUDITED_VALUES[name] || name,
        before: row.before && name in row.before ? auditedValue(name, row.before[name]) : "",
        after: row.after && name in row.after ? auditedValue(name, row.after[name]) : "",
      }));
    };
    const brief = (row) => changes(row).slice(0, 3).map((one) => (one.before && one.after ? `${one.name} ${one.before} → ${one.after}` : `${one.name} ${one.after || one.before}`)).join("；");
    return { day, page, data, loading, error, load, shift, go, future, changes, brief, today, SIZE, AUDITED, ROLES, SUBJECT, second, word };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>审计日志</h1><p class="sub">谁在什么时候看了什么、改了什么。只能查看，不能修改；敏感内容已遮盖。</p></div></div>
      <div class="filters panel">
        <el-button @click="shift(-1)" data-testid="day-before"><y-icon name="left" size="16"/>&nbsp;前一天</el-button>
        <span class="f" data-testid="audit-day"><el-date-picker v-model="day" type="date" value-format="YYYY-MM-DD" :clearable="false" :disabled-date="future" aria-label="日期" style="width: 100%"/></span>
        <el-button :disabled="day >= today()" @click="shift(1)" data-testid="day-after">后一天&nbsp;<y-icon name="right" size="16"/></el-button>
        <el-button v-if="day !== today()" @click="day = today()">今天</el-button>
        <span class="grow"></span><span class="sub" data-testid="audit-total">{{ data ? '共 ' + data.total.toLocaleString() + ' 条' : '' }}</span>
        <el-button @click="load" :loading="loading"><y-icon name="refresh" size="16"/>&nbsp;刷新</el-button>
      </div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel flush" v-loading="loading">
        <load-state v-if="data && !data.rows.length" empty="这一天没有记录。" icon="log"/>
        <el-table v-else :data="data?.rows || []" empty-text=" " data-testid="audit-table">
          <el-table-column type="expand" width="44"><template #default="{ row }"><div class="entry">
            <table v-if="changes(row).length" class="measure"><thead><tr><th>内容</th><th>原来</th><th>现在</th></tr></thead><tbody><tr v-for="one in changes(row)" :key="one.name"><th scope="row">{{ one.name }}</th><td>{{ one.before || '—' }}</td><td>{{ one.after || '—' }}</td></tr></tbody></table>
            <p class="sub">对象编号 <span class="mono">{{ row.subject_id }}</span>；账号编号 <span class="mono">{{ row.account_id || '—' }}</span>；请求编号 <span class="mono">{{ row.request_id || '—' }}</span></p></div></template></el-table-column>
          <el-table-column label="时间" width="174"><template #default="{ row }"><span class="mono">{{ second(row.at) }}</span></template></el-table-column>
          <el-table-column label="做了什么" min-width="170"><template #default="{ row }"><b>{{ word(AUDITED, row.action) }}</b></template></el-table-column>
          <el-table-column label="谁" min-width="170"><template #default="{ row }">{{ word(ROLES, row.role) }} <small v-if="row.account_id" class="mono sub">…{{ row.account_id.slice(-6) }}</small></template></el-table-column>
          <el-table-column label="对象" width="150"><template #default="{ row }">{{ word(SUBJECT, row.subject_kind) }} <small class="mono sub">…{{ row.subject_id.slice(-6) }}</small></template></el-table-column>
          <el-table-column label="内容" min-width="280"><template #default="{ row }"><span class="clip">{{ brief(row) || '—' }}</span></template></el-table-column>
          <el-table-column label="来自" width="130"><template #default="{ row }"><span class="mono">{{ row.ip || '—' }}</span></template></el-table-column>
        </el-table>
        <el-pagination v-if="data && data.total > SIZE" class="pager" :total="data.total" :page-size="SIZE" :current-page="page" layout="total, prev, pager, next, jumper" @current-change="go" :pager-count="5"/>
      </section>
    </div>`,
};

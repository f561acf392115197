// The ledger: searching, filtering, paging, all of it in the address so that going back finds the same list.

import * as api from "../api.js";
import { isOffice, session } from "../session.js";
import AddPerson from "../components/add-person.js";
import LoadState from "../components/load-state.js";
import PlacePicker from "../components/place-picker.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { loader, numberOf, useNarrow } from "../components/ui.js";
import { age, CERTIFICATION, dueIn, options, SEX, STATUS } from "../words.js";

const { computed, onMounted, reactive, ref, watch } = Vue;
const SIZES = [20, 50, 100];
// A whole ID number or telephone does not belong into an address: it stays beside it, in the history's own state
const PRIVATE = /^\d{10,17}[\dXx]$/;

export default {
  components: { AddPerson, LoadState, PlacePicker, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const narrow = useNarrow();
    const tablet = useNarrow(1100);
    const adding = ref(false);
    const searched = () => history.state?.q || route.query.q || "";
    const filters = reactive({ q: "", division: "", status: "", certification: "" });
    const page = computed(() => numberOf(route.query.page, 1));
    const size = computed(() => (SIZES.includes(Number(route.query.size)) ? Number(route.query.size) : 20));
    const places = computed(() => isOffice() && session.division.length < 12 || session.role === "enterprise");
    const filtered = computed(() => filters.q || filters.division || filters.status || filters.certification);

    const { data, loading, error, load } = loader(async () => {
      const found = await api.list("/retirees", { ...filters, page: page.value, page_size: size.value });
      const last = Math.max(1, Math.ceil(found.total / size.value));
      if (page.value > last) router.replace({ query: { ...route.query, page: last > 1 ? last : undefined } });
      return found;
    });
    function read() {
      const { division = "", status = "", certification = "" } = route.query;
      Object.assign(filters, {
        q: searched(),
        division: /^\d{4,12}$/.test(division) ? division : "",
        status: STATUS[status] ? status : "",
        certification: CERTIFICATION[certification] ? certification : "",
      });
    }
    let typed = 0;
    /** Put the filters into the address; the list follows the address. */
    function go({ page: to = 1, size: shown = size.value, replace = false } = {}) {
      clearTimeout(typed);
      const q = filters.q.trim();
      const hidden = PRIVATE.test(q);
      const query = {
        q: hidden ? undefined : q || undefined,
        division: filters.division || undefined,
        status: filters.status || undefined,
        certification: filters.certification || undefined,
        page: to > 1 ? to : undefined,
        size: shown !== 20 ? shown : undefined,
        // another private search is another address, or the router would not move
        by: hidden ? String(Date.now() % 1e6) : undefined,
      };
      const target = { path: "/people", query, state: { q: hidden ? q : "" } };
      return replace ? router.replace(target) : router.push(target);
    }
    const typing = () => {
      clearTimeout(typed);
      typed = setTimeout(() => go({ replace: true }), 450);
    };
    const clear = () => {
      Object.assign(filters, { q: "", division: "", status: "", certification: "" });
      go();
    };
    watch(() => route.fullPath, () => {
      if (route.path !== "/people") return clearTimeout(typed);
      if (document.activeElement?.id !== "people-q") read();
      load();
    });
    onMounted(() => {
      read();
      load();
    });
    Vue.onBeforeUnmount(() => clearTimeout(typed));
    const open = (row) => router.push(`/people/${row.id}`);
    const added = (person) => router.push(`/people/${person.id}`);
    return {
      narrow, tablet, adding, filters, page, size, places, filtered, data, loading, error, load, go, typing, clear, open, added, isOffice,
      age, dueIn, SEX, SIZES, statuses: options(STATUS), certifications: options(CERTIFICATION),
    };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>人员</h1><p class="sub" aria-live="polite" data-testid="people-total">{{ data ? '共 ' + data.total.toLocaleString() + ' 人' : '' }}</p></div>
        <el-button v-if="isOffice()" type="primary" @click="adding = true" data-testid="add-person"><y-icon name="plus" size="16"/>&nbsp;新增人员</el-button></div>
      <form class="filters panel" role="search" @submit.prevent="go()">
        <el-input id="people-q" v-model="filters.q" class="q" clearable maxlength="50" @input="typing" @clear="go()" data-testid="people-q"
          :placeholder="narrow ? '姓名、拼音、首字母、身份证号、手机号' : '姓名、拼音或首字母；身份证号、手机号要输完整'" aria-label="搜索：姓名、拼音、首字母，或完整的身份证号、手机号">
          <template #prefix><y-icon name="search" size="16"/></template></el-input>
        <p v-if="narrow" class="hint q-hint">身份证号、手机号要输完整才能查到。</p>
        <place-picker v-if="places" v-model="filters.division" @change="go()" class="f-place" data-testid="people-division"/>
        <el-select v-model="filters.certification" clearable placeholder="全部认证状态" aria-label="认证状态" @change="go()" :empty-values="['', null, undefined]" :value-on-clear="''" class="f" data-testid="people-certification">
          <el-option v-for="one in certifications" :key="one.value" v-bind="one"/></el-select>
        <el-select v-model="filters.status" clearable placeholder="全部人员状态" aria-label="人员状态" @change="go()" :empty-values="['', null, undefined]" :value-on-clear="''" class="f" data-testid="people-status">
          <el-option v-for="one in statuses" :key="one.value" v-bind="one"/></el-select>
        <el-button native-type="submit" data-testid="people-search">查询</el-button>
        <button v-if="filtered" type="button" class="link-button" @click="clear" data-testid="people-clear">清除条件</button>
      </form>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel flush" v-loading="loading">
        <load-state v-if="data && !data.rows.length" icon="search"
          :empty="filtered ? '没有找到符合条件的人。姓名可以只写开头；身份证号、手机号要输完整。' : '名册还是空的。可以新增人员，或导入花名册。'">
          <el-button v-if="filtered" @click="clear">清除条件</el-button></load-state>
        <ul v-else-if="narrow" class="people-cards">
          <li v-for="row in data?.rows || []" :key="row.id"><router-link :to="'/people/' + row.id" data-testid="person-row">
            <span><b>{{ row.name }}</b> {{ SEX[row.sex] }} {{ age(row.birth) }}岁 <state-tag kind="certification" :state="row.certification.state"/></span>
            <small>{{ row.division_name }} · {{ row.phone || '无电话' }} · {{ row.certification.due_on }} 到期</small></router-link></li></ul>
        <el-table v-else :data="data?.rows || []" @row-click="open" row-class-name="clickable" data-testid="people-table" :empty-text="loading ? '正在取…' : ' '">
          <el-table-column label="姓名" min-width="96"><template #default="{ row }"><router-link :to="'/people/' + row.id" @click.stop data-testid="person-row"><b>{{ row.name }}</b></router-link></template></el-table-column>
          <el-table-column label="性别" width="60"><template #default="{ row }">{{ SEX[row.sex] }}</template></el-table-column>
          <el-table-column label="年龄" width="64"><template #default="{ row }">{{ age(row.birth) }}</template></el-table-column>
          <el-table-column v-if="!tablet" label="身份证号" width="172"><template #default="{ row }"><span class="mono">{{ row.id_number }}</span></template></el-table-column>
          <el-table-column label="电话" width="126"><template #default="{ row }"><span class="mono">{{ row.phone || '—' }}</span></template></el-table-column>
          <el-table-column label="社区" min-width="110" prop="division_name" show-overflow-tooltip/>
          <el-table-column label="人员状态" width="96"><template #default="{ row }"><state-tag kind="status" :state="row.status"/></template></el-table-column>
          <el-table-column label="认证" width="112"><template #default="{ row }"><state-tag kind="certification" :state="row.certification.state"/></template></el-table-column>
          <el-table-column label="到期日" width="178"><template #default="{ row }"><template v-if="row.certification.state !== 'ended'">{{ row.certification.due_on }} <small class="sub">{{ dueIn(row.certification.due_on) }}</small></template><template v-else>—</template></template></el-table-column>
          <el-table-column v-if="!tablet" label="人脸" width="84"><template #default="{ row }">{{ row.face_enrolled ? '已登记' : '未登记' }}</template></el-table-column>
        </el-table>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :current-page="page" :page-size="size"
          :layout="narrow ? 'prev, pager, next' : 'total, slot, prev, pager, next, jumper'" :pager-count="narrow ? 5 : 7"
          @current-change="go({ page: $event })" data-testid="pager">
          <el-select :model-value="size" @change="go({ size: $event })" aria-label="每页人数" class="sizes" data-testid="people-size">
            <el-option v-for="one in SIZES" :key="one" :value="one" :label="'每页 ' + one + ' 人'"/></el-select></el-pagination>
      </section>
      <add-person v-model="adding" @added="added"/>
    </div>`,
};

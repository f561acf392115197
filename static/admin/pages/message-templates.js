// What the house says to retirees: every message with the version that is sent now.

import * as api from "../api.js";
import LoadState from "../components/load-state.js";
import YIcon from "../components/icon.js";
import { loader } from "../components/ui.js";

const { onMounted } = Vue;

export default {
  components: { LoadState, YIcon },
  setup() {
    const { data, loading, error, load } = loader(() => api.get("/message-templates"));
    onMounted(load);
    const ways = (row) => [row.inbox && "收件箱", row.active?.channels.wechat && "微信", row.active?.channels.sms && "短信"].filter(Boolean);
    const version = (row) => (!row.active ? "还没有启用" : row.active.version ? `第${row.active.version}版` : "系统自带");
    return { data, loading, error, load, ways, version };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>消息模板</h1><p class="sub">系统发给退休人员的每一种消息。写好的版本不能改，要换说法就写新的一版，再启用。</p></div>
        <router-link to="/message-templates/new" class="el-button el-button--primary" data-testid="template-new"><y-icon name="plus" size="16"/>&nbsp;新模板</router-link></div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel" v-loading="loading"><ul class="versions min">
        <li v-for="row in data || []" :key="row.key" data-testid="template-row"><router-link :to="'/message-templates/' + row.key"><b>{{ row.words }}</b></router-link>
          <el-tag :type="row.active ? 'success' : 'info'" size="small" disable-transitions>{{ version(row) }}</el-tag><el-tag v-if="row.drafts" type="warning" size="small" disable-transitions>{{ row.drafts }} 个草稿</el-tag>
          <span class="reason">{{ row.active?.title || row.active?.channels.sms }}</span><small class="sub">{{ ways(row).join('、') }}</small></li></ul></section>
    </div>`,
};

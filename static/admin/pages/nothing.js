// An address that leads nowhere.

import LoadState from "../components/load-state.js";

export default {
  components: { LoadState },
  template: `<div class="page"><h1>没有这个页面</h1><load-state empty="地址可能写错了，请从左边的菜单进入。" icon="search"/></div>`,
};

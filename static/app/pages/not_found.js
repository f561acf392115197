// An address that no page has.

export default {
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">没有找到这一页</h1>
      <p>可能是地址写错了。请回到首页，再找一找。</p>
      <router-link to="/" class="weui-btn weui-btn_primary" data-testid="to-home">回到首页</router-link>
    </section>
  `,
};

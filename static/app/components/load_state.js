// Waiting, or what went wrong with a button to try again; the page itself in the slot when its data is there.

export default {
  props: { load: { type: Object, required: true } },
  template: /* html */ `
    <div v-if="load.error" class="card" role="alert">
      <p class="strong">{{ load.error }}</p>
      <button type="button" class="weui-btn weui-btn_primary" @click="load.again">再试一次</button>
    </div>
    <p v-else-if="load.busy && !load.data" class="waiting" role="status">正在打开，请稍等…</p>
    <slot v-else-if="load.data" :data="load.data"/>
  `,
};

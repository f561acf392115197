// The end of a list that grows (useList): what went wrong with the following rows, and the button for them.

export default {
  props: { load: { type: Object, required: true } },
  template: /* html */ `
    <p v-if="load.moreError" class="error" role="alert"><app-icon name="alert"/><span>{{ load.moreError }}</span></p>
    <button v-if="load.data.next" type="button" class="weui-btn btn-even" :disabled="load.busy" data-testid="older" @click="load.more">
      {{ load.busy ? "正在打开…" : "看更早的" }}
    </button>
  `,
};

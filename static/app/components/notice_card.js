// A notice in a list.

import { IMPORTANCE, KINDS, day } from "../words.js";

export default {
  props: { notice: { type: Object, required: true } },
  setup: () => ({ IMPORTANCE, KINDS, day }),
  template: /* html */ `
    <router-link :to="'/library/' + notice.id" class="card card-link" :class="'card-' + notice.importance" data-testid="notice-row">
      <app-icon :name="notice.importance === 'emergency' ? 'alert' : 'list'"/>
      <span class="card-words">
        <span v-if="IMPORTANCE[notice.importance]" class="tag tag-new">{{ IMPORTANCE[notice.importance] }}</span>
        <b class="large">{{ notice.title }}</b>
        <span class="two-lines">{{ notice.summary }}</span>
        <span class="soft"><span class="phrase">{{ KINDS[notice.kind] }}，</span><span class="phrase">{{ day(notice.published_at) }}</span></span>
      </span>
      <app-icon name="next"/>
    </router-link>
  `,
};

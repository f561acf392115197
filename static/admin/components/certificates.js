// A person's certificates, newest first, each with the page where anybody can check it.

import LoadState from "./load-state.js";
import { METHOD, RESIDENCE_KIND, word } from "../words.js";

export default {
  name: "CertificateList",
  components: { LoadState },
  props: { rows: { type: Array, required: true } },
  setup: () => ({ METHOD, RESIDENCE_KIND, word }),
  template: `
    <load-state v-if="!rows.length" empty="还没有认证记录。" icon="stamp"/>
    <el-table v-else :data="rows" data-testid="certificates">
      <el-table-column label="认证日期" prop="certified_on" width="116"/>
      <el-table-column label="方式" min-width="150"><template #default="{ row }">{{ word(METHOD, row.method) }}</template></el-table-column>
      <el-table-column label="有效到" prop="due_on" width="116"/>
      <el-table-column label="申报居住地" min-width="120"><template #default="{ row }">{{ row.residence ? [word(RESIDENCE_KIND, row.residence.kind), row.residence.place].filter(Boolean).join(' ') : '—' }}</template></el-table-column>
      <el-table-column label="说明" min-width="160" prop="note"><template #default="{ row }">{{ row.note || '—' }}</template></el-table-column>
      <el-table-column label="凭证" width="212"><template #default="{ row }"><a :href="'/verify/' + row.code" target="_blank" rel="noopener" class="mono" data-testid="certificate-link">{{ row.number }}</a></template></el-table-column>
    </el-table>`,
};

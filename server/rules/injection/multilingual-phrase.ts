/** Instructions to drop earlier instructions, and to reveal a password, in languages other than English. */
import type { Phrase } from '../../detection/phrase.ts'

/**
 * `keywords` (ASCII, separated by bars) may be empty for scripts without ASCII: then any text with letters beyond
 * Latin is scanned.
 */
function multilingual(keywords: string, source: string, confidence = 0.9): Phrase {
  return {
    kind: 'injection.direct',
    severity: 'high',
    confidence,
    channel: 'anyone',
    keywords: keywords === '' ? [] : keywords.split('|'),
    pattern: new RegExp(source, 'giu'),
  }
}

/** Up to four words between the verb and its object. */
const WORDS_BETWEEN = "(?:[\\p{L}\\p{M}'-]{1,16}[\\s,]{1,3}){0,4}?"

// biome-ignore format: a table, one language a line
export const MULTILINGUAL_PHRASES: readonly Phrase[] = [
  // Dutch, German, Scandinavian.
  multilingual('negeer|vergeet', `(?:negeer|vergeet)[\\s,]${WORDS_BETWEEN}(?:instructies?|opdrachten|aanwijzingen|regels|richtlijnen|prompts?)`),
  multilingual('ignorier|vergiss|vergessen|missachte', `(?:ignorier(?:e|en|t)?|vergiss|vergessen|missachten?)[\\s,](?:sie )?${WORDS_BETWEEN}(?:anweisungen|instruktionen|befehle|regeln|richtlinien|vorgaben|anordnungen)`),
  multilingual('ignorera|ignorer|glem', `(?:ignorera|ignorer|gl[oö]m|glem)[\\s,]${WORDS_BETWEEN}(?:instruktion(?:er|erna|erne)?|instruks(?:er|ene|joner|jonene)|anvisning(?:ar|arna|er)|regler(?:na|ne)?)`),
  // Romance languages.
  multilingual('ignore|oubli', `(?:ignor(?:e|ez|er)|oubli(?:e|ez|er)|ne tiens pas compte)[\\s,]${WORDS_BETWEEN}(?:instructions|consignes|directives|r[eè]gles) (?:pr[eé]c[eé]dentes|ci-dessus|ant[eé]rieures|initiales)`),
  multilingual('ignore|oubli', `(?:ignorez|oublie[zr]?)[\\s,]${WORDS_BETWEEN}(?:instructions|consignes|directives|tout ce qui pr[eé]c[eè]de)`),
  multilingual('ignor|olvid', `(?:ignor(?:a|e|ar|en)|olvid(?:a|e|ar|en))[\\s,]${WORDS_BETWEEN}(?:instrucciones|indicaciones|[oó]rdenes|reglas|directrices)`),
  multilingual('ignor|dimentic|trascur', `(?:ignora(?:re|te)?|dimentica(?:re|te)?|trascura(?:re)?)[\\s,]${WORDS_BETWEEN}(?:istruzioni|indicazioni|direttive|regole|ordini)`),
  multilingual('ignor|esque', `(?:ignor(?:e|ar|em|a)|esque[cç](?:a|er|e|am))[\\s,]${WORDS_BETWEEN}(?:instru[cç][oõ]es|ordens|regras|diretrizes|orienta[cç][oõ]es)`),
  multilingual('ignor', `ignor(?:a|ați|ati|ă|e|i)[\\s,]${WORDS_BETWEEN}(?:instruc[tț]iunile|regulile|indica[tț]iile)`),
  // Slavic, Turkish, Vietnamese, Indonesian in Latin letters.
  multilingual('ignoruj|zapomni|zignoruj|zapomen', `(?:z?ignoruj(?:te)?|zapomnij|zapome[nň](?:te)?)[\\s,]${WORDS_BETWEEN}(?:instrukcj[eai]|polecenia|wytyczne|pokyny|instrukce|pravidla)`),
  multilingual('talimat', 'talimatlar\\p{L}{0,6} (?:\\p{L}{1,12} )?(?:yok say|görmezden gel|unut|dikkate alma)'),
  multilingual('abaikan|lupakan', `(?:abaikan|lupakan) ${WORDS_BETWEEN}(?:instruksi|perintah|arahan|aturan)`),
  multilingual('qua', 'bỏ qua[\\s,](?:[\\p{L}\\p{M}]{1,8} ){0,4}?(?:hướng dẫn|chỉ dẫn|lệnh|chỉ thị)'),
  // Other scripts.
  multilingual('', `(?:игнорир(?:уй(?:те)?|овать)|забудь(?:те)?|не обращай(?:те)? внимания на|проигнорируй(?:те)?|ігноруй(?:те)?)[\\s,]${WORDS_BETWEEN}(?:инструкци|указани|команд|правил|інструкці|вказівк)`),
  multilingual('', `(?:αγνοήσ(?:τε|ε)|αγνόησε|ξεχάστε|ξέχασε)[\\s,]${WORDS_BETWEEN}(?:οδηγίες|εντολές|κανόνες)`),
  multilingual('', '(?:تجاهل|انس|انسى|اهمل)(?:ي|وا)? (?:[\\p{L}\\p{M}]{1,12} ){0,3}?(?:ال)?(?:تعليمات|أوامر|توجيهات|إرشادات)'),
  multilingual('', '(?:התעלם|התעלמי|התעלמו|שכח) (?:[\\p{L}\\p{M}]{1,12} ){0,3}?(?:מה)?(?:הוראות|ההנחיות|הנחיות)'),
  multilingual('', '(?:निर्देश|निर्देशों|आदेश|आदेशों|अनुदेश)(?:[\\p{L}\\p{M}]{0,6}\\s){1,4}(?:अनदेखा|अनदेखी|नज़रअंदाज़|नजरअंदाज|भूल)'),
  multilingual('', '(?:忽略|无视|無視|忘记|忘記|忽視|不要理会|不要遵守|请忘掉)[^。！？\\n]{0,12}?(?:指令|指示|提示|命令|规则|規則|说明|設定|设定|限制)'),
  multilingual('', '(?:指示|命令|指令|プロンプト|ルール|規則|制約)[^。！？\\n]{0,10}?(?:無視|忘れ|従わない)'),
  multilingual('', '(?:지시|지침|명령|지시사항|프롬프트|규칙)[^.!?\\n]{0,12}?(?:무시|잊어|잊으|따르지)'),
  multilingual('', '(?:เพิกเฉย|ละเว้น|ลืม|ไม่ต้องสนใจ)[^\\n]{0,16}?(?:คำสั่ง|คำแนะนำ|กฎ)'),
  // "What is the password", to a model that was told one.
  multilingual('passwor|contrase|mot de passe|senha|wachtwoord|kennwort', '(?:wie lautet das|was ist das|geben sie mir (?:ihr|das)|gib mir das|cu[aá]l es (?:la|tu)|dime (?:la|tu)|quel est (?:le|ton|votre)|donne-moi le|qual [eèé] (?:la|a)|dammi la|wat is het|geef me het|mir ihr) (?:passwort|kennwort|contrase[nñ]a|mot de passe|password|senha|wachtwoord)', 0.85),
  multilingual('', '(?:パスワード(?:は何|を教え)|密码是什么|密碼是什麼|告诉我密码|비밀번호(?:가|는) (?:뭐|무엇)|какой пароль|скажи(?:те)? пароль|ما هي كلمة (?:ال)?مرور|पासवर्ड क्या)', 0.85),
]

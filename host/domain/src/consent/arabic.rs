//! Consent in Arabic.

use super::Code;

/// Goes around an author's own words.
pub(super) const AUTHOR: &str = "يقول مؤلفها: «{names}»";

/// What a clause says.
pub(super) const fn template(code: Code) -> &'static str {
    match code {
        Code::TriggerMessages => "تُستدعى عندما يكتب عميل أو يضغط زرًا",
        Code::TriggerComment => "تُستدعى عندما يعلّق أحد",
        Code::TriggerTimer => "تُستدعى عندما يحين مؤقّت ضبطته",
        Code::TriggerResponse => "تُستدعى عندما تجيب نقطة وصول عن طلبها",
        Code::TriggerCustom => "تُستدعى لأحداث من أنواع أخرى",
        Code::NoTriggers => "لا تُستدعى أبدًا",
        Code::TextClear => {
            "ترى ما يكتبه العملاء كما كُتب، بما فيه أرقام الهاتف وعناوين البريد الإلكتروني والبطاقات والحسابات"
        }
        Code::TextMasked => {
            "ترى ما يكتبه العملاء؛ أما أرقام الهاتف وعناوين البريد الإلكتروني والبطاقات والحسابات فرموزًا فقط"
        }
        Code::TextNone => "لا ترى ما يكتبه العملاء",
        Code::Attachments => "تعلم أن العميل أرفق شيئًا ومن أي نوع هو",
        Code::NoAttachments => "لا تعلم أن العميل أرفق شيئًا",
        Code::BusinessRecords => "تقرأ جداول عملك وتغيّرها: {names}",
        Code::ContactRecords => "تحفظ سجلات لكل عميل، ولا تقرأ كاملة إلا سجلات العميل الذي تجيبه: {names}",
        Code::SharedFields => "تقرأ أيضًا هذه الحقول من سجلات عملاء آخرين: {names}",
        Code::NoRecords => "لا تحفظ جداول ولا تقرؤها",
        Code::ContactFields => "تقرأ من ملف العميل: {names}",
        Code::NoContact => "لا تستطيع قراءة ملفات العملاء",
        Code::History => "تقرأ رسائل سابقة من المحادثة، بحد أقصى: {names}",
        Code::NoHistory => "لا تستطيع قراءة الرسائل السابقة",
        Code::LanguageModel => "تسأل نماذج لغوية: {names}",
        Code::NoLanguageModel => "لا تستطيع سؤال نموذج لغوي",
        Code::Network => "تقرأ من نقاط وصول لديك: {names}",
        Code::NoNetwork => "ليست لها شبكة خاصة بها",
        Code::Media => "تفتح الملفات التي يرسلها العملاء",
        Code::NoMedia => "لا تستطيع فتح الملفات التي يرسلها العملاء",
        Code::EffectSay => "يمكنها الرد على العميل",
        Code::EffectCommentReply => "يمكنها الرد على التعليقات علنًا",
        Code::EffectPrivateReply => "يمكنها الرد على تعليق برسالة خاصة",
        Code::EffectHideComment => "يمكنها إخفاء التعليقات",
        Code::EffectHandoff => "يمكنها تحويل المحادثات إلى موظفيك",
        Code::EffectSetAttribute => "يمكنها أن تحفظ مع العميل: {names}",
        Code::EffectAddTag => "يمكنها وضع وسوم على العملاء",
        Code::EffectNote => "يمكنها كتابة ملاحظات لموظفيك",
        Code::EffectSetTimer => "يمكنها ضبط مؤقتات لنفسها",
        Code::EffectCancelTimer => "يمكنها إلغاء مؤقتاتها",
        Code::EffectSendTemplate => "يمكنها إرسال قوالب رسائل",
        Code::EffectCall => "يمكنها استدعاء نقاط وصول لديك وتغيير أشياء هناك: {names}",
        Code::EffectCustom => "يمكنها اقتراح تأثيرات من أنواع أخرى",
        Code::NoEffects => "لا تستطيع إرسال شيء ولا تغيير شيء",
        Code::NoPublicReply => "لا تستطيع الرد علنًا",
        Code::NoCall => "لا تستطيع استدعاء نقطة وصول لتغيير شيء",
        Code::Flows => "يمكنها تمرير بيانات شخصية صريحة كما تسمح أنت، من أين إلى أين: {names}",
        Code::Links => "يمكنها إرسال روابط إلى: {names}",
        Code::NoLinks => "لا يمكنها إرسال روابط",
    }
}

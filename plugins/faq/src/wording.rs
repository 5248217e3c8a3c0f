//! The plugin's own few sentences, by language. Never an answer: those are the business's.

use crate::settings::Settings;

/// All sentences of one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wording {
    pub(crate) did_you_mean: String,
    pub(crate) not_understood: String,
    pub(crate) call_human: String,
    pub(crate) human_called: String,
    pub(crate) no_pictures: String,
    pub(crate) answered_privately: String,
}

/// In the order of [`Wording`], for every language that has none of its own.
const ENGLISH: [&str; 6] = [
    "Did you mean one of these?",
    "I have not found an answer to that. Shall I ask a colleague?",
    "Ask a person",
    "A colleague has been told and will answer here.",
    "I cannot see pictures. Can you write it in words, or shall I ask a colleague?",
    "We have answered you in a private message.",
];

/// Language, then the sentences in the same order.
const BUILT_IN: [(&str, [&str; 6]); 13] = [
    (
        "de",
        [
            "Meinten Sie eines davon?",
            "Dazu habe ich keine Antwort gefunden. Soll ich jemanden aus dem Team fragen?",
            "Mit Mensch sprechen",
            "Das Team weiß Bescheid und antwortet hier.",
            "Bilder kann ich nicht sehen. Können Sie es beschreiben, oder soll ich jemanden aus dem Team fragen?",
            "Wir haben Ihnen privat geantwortet.",
        ],
    ),
    (
        "es",
        [
            "¿Se refiere a una de estas preguntas?",
            "No he encontrado una respuesta. ¿Pregunto a una persona del equipo?",
            "Hablar con alguien",
            "El equipo está avisado y le responderá aquí.",
            "No puedo ver imágenes. ¿Puede escribirlo, o pregunto a una persona del equipo?",
            "Le hemos respondido por mensaje privado.",
        ],
    ),
    (
        "pt",
        [
            "Você quis dizer uma destas?",
            "Não encontrei uma resposta. Quer que eu chame alguém da equipe?",
            "Falar com alguém",
            "A equipe foi avisada e vai responder aqui.",
            "Não consigo ver imagens. Pode escrever, ou quer que eu chame alguém da equipe?",
            "Respondemos por mensagem privada.",
        ],
    ),
    (
        "fr",
        [
            "Vouliez-vous dire l’une de ces questions ?",
            "Je n’ai pas trouvé de réponse. Dois-je demander à un collègue ?",
            "Parler à quelqu’un",
            "L’équipe est prévenue et vous répondra ici.",
            "Je ne peux pas voir les images. Pouvez-vous l’écrire, ou dois-je demander à un collègue ?",
            "Nous vous avons répondu en message privé.",
        ],
    ),
    (
        "it",
        [
            "Intendeva una di queste?",
            "Non ho trovato una risposta. Chiedo a un collega?",
            "Parla con qualcuno",
            "Il team è stato avvisato e risponderà qui.",
            "Non posso vedere le immagini. Può scriverlo, o chiedo a un collega?",
            "Le abbiamo risposto in privato.",
        ],
    ),
    (
        "tr",
        [
            "Bunlardan birini mi demek istediniz?",
            "Buna bir yanıt bulamadım. Bir arkadaşıma sorayım mı?",
            "Biriyle görüş",
            "Ekibe haber verildi, buradan yanıt verecekler.",
            "Resimleri göremiyorum. Yazabilir misiniz, yoksa bir arkadaşıma sorayım mı?",
            "Size özel mesajla yanıt verdik.",
        ],
    ),
    (
        "vi",
        [
            "Ý bạn là một trong những câu này phải không?",
            "Mình chưa tìm thấy câu trả lời. Mình hỏi nhân viên giúp bạn nhé?",
            "Gặp nhân viên",
            "Nhân viên đã được báo và sẽ trả lời bạn ở đây.",
            "Mình không xem được hình. Bạn viết bằng chữ, hay để mình hỏi nhân viên nhé?",
            "Chúng tôi đã trả lời bạn qua tin nhắn riêng.",
        ],
    ),
    (
        "ru",
        [
            "Вы имели в виду что-то из этого?",
            "Я не нашёл ответа. Спросить у сотрудника?",
            "Позвать сотрудника",
            "Сотрудник уже знает и ответит здесь.",
            "Я не вижу картинок. Напишите словами, или спросить у сотрудника?",
            "Мы ответили вам в личном сообщении.",
        ],
    ),
    (
        "ar",
        [
            "هل تقصد أحد هذه الأسئلة؟",
            "لم أجد جوابا على ذلك. هل أسأل أحد الزملاء؟",
            "التحدث مع موظف",
            "تم إبلاغ الفريق وسيرد عليك هنا.",
            "لا أستطيع رؤية الصور. هل يمكنك الكتابة، أم أسأل أحد الزملاء؟",
            "أجبناك في رسالة خاصة.",
        ],
    ),
    (
        "hy",
        [
            "Նկատի ունեիք սրանցի՞ց մեկը։",
            "Պատասխան չգտա։ Հարցնե՞մ աշխատակցին։",
            "Կանչել աշխատակցին",
            "Աշխատակիցը տեղեկացված է և կպատասխանի այստեղ։",
            "Նկարներ տեսնել չեմ կարող։ Կգրե՞ք բառերով, թե՞ հարցնեմ աշխատակցին։",
            "Պատասխանել ենք ձեզ անձնական նամակով։",
        ],
    ),
    (
        "ja",
        [
            "次のどれについてのご質問ですか？",
            "お答えが見つかりませんでした。スタッフに確認しましょうか？",
            "スタッフに聞く",
            "スタッフに伝えました。こちらでお返事します。",
            "画像を見ることができません。文字で書いていただくか、スタッフに確認しましょうか？",
            "個別のメッセージでお返事しました。",
        ],
    ),
    (
        "zh",
        [
            "您是想问以下哪个问题？",
            "我没有找到答案。要请工作人员回答吗？",
            "联系工作人员",
            "已通知工作人员，会在这里回复您。",
            "我看不到图片。请用文字描述，或者让工作人员来回答？",
            "我们已私信回复您。",
        ],
    ),
    (
        "th",
        [
            "คุณหมายถึงข้อไหนในนี้?",
            "ยังไม่พบคำตอบ ให้สอบถามพนักงานไหม?",
            "คุยกับพนักงาน",
            "แจ้งพนักงานแล้ว จะตอบกลับที่นี่",
            "ดูรูปภาพไม่ได้ พิมพ์เป็นข้อความ หรือให้สอบถามพนักงานไหม?",
            "เราตอบคุณทางข้อความส่วนตัวแล้ว",
        ],
    ),
];

impl Wording {
    /// The sentences of a language, in English where there are none; the business's own come first.
    pub(crate) fn of(language: &str, settings: &Settings) -> Self {
        let built_in =
            BUILT_IN.iter().find(|(known, _)| *known == language).map_or(ENGLISH, |(_, sentences)| *sentences);
        let [did_you_mean, not_understood, call_human, human_called, no_pictures, answered_privately] = built_in;
        let own = settings.wording.get(language).cloned().unwrap_or_default();
        let or = |own: Option<String>, built_in: &str| own.unwrap_or_else(|| built_in.to_owned());
        Self {
            did_you_mean: or(own.did_you_mean, did_you_mean),
            not_understood: or(own.not_understood, not_understood),
            call_human: or(own.call_human, call_human),
            human_called: or(own.human_called, human_called),
            no_pictures: or(own.no_pictures, no_pictures),
            answered_privately: or(own.answered_privately, answered_privately),
        }
    }
}

//! Small words: what they weigh, and which language they give away. Lists of the commonest words of some languages, not
//! dictionaries; a language that is not listed works without, only with less ease.

use std::sync::LazyLock;

/// Words as `text::fold` leaves them: question words, then words that carry no meaning of their own or only say that
/// it is about today.
struct Language {
    code: &'static str,
    asking: &'static str,
    small: &'static str,
}

const LANGUAGES: &[Language] = &[
    Language {
        code: "en",
        asking: "what whats when whens where wheres which who whos how why long much many time",
        small: "a an the is are am be was were do does did you your u ur yours we our us i im id ill my me it \
                its this that there here to of in at on for with by and or if can could will would shall may has \
                have had got get any some please pls hello hi hey thanks so just like want need guys tell know \
                about also r today tomorrow tmrw tonight now rn good morning afternoon evening night bye",
    },
    Language {
        code: "de",
        asking: "wann wo wie was wer welche welchen welcher welches wieviel warum lange viel",
        small: "der die das den dem des ein eine einen einem einer ist sind bin seid ich du ihr wir sie er es \
                mich mir dir euch uns eure euren euer ihre mein meine meinen und oder aber auch noch bei mit von \
                zu zum zur im in am an kann kannst konnen konnt darf hab habe habt haben hat gibt gerne gern \
                mochte wurde bitte danke hallo mal denn nicht man so heute morgen jetzt guten tag abend gruss",
    },
    Language {
        code: "es",
        asking: "que cuando donde cual cuales como cuanto cuanta cuantos quien q",
        small: "el la los las un una unos de del al a en con por para y o si no es son esta estan estais ser hay \
                tiene tienen teneis tienes puedo puede se me te le lo nos os su sus mi tu vuestro vuestra hola \
                gracias favor quiero quisiera muy mas ya hacer hago hacen hoy manana ahora buenos buenas dias \
                tardes noches adios",
    },
    Language {
        code: "pt",
        asking: "que quando onde qual quais como quanto quanta quem",
        small: "o a os as um uma de do da dos das em no na nos nas com por para pra e ou se nao sao esta estao \
                tem voces vcs voce vc eu me meu minha seu sua posso pode ola oi obrigado obrigada favor queria \
                quero gostaria muito mais ja ai fazer faco fazem hoje amanha agora bom boa dia tarde noite tchau",
    },
    Language {
        code: "fr",
        asking: "quand ou quel quelle quels quelles comment combien qui quoi pourquoi que",
        small: "le la les l un une des de du d a au aux en dans sur avec pour par et si ne pas est sont etes \
                suis vous nous je j tu il elle on votre vos mon ma mes avez ai puis peut peux y c ce ca bonjour \
                merci s voudrais aujourd hui demain maintenant bonsoir salut",
    },
    Language {
        code: "it",
        asking: "quando dove quale quali come quanto quanta chi cosa perche che",
        small: "il lo la i gli le un uno una di del della dei da al alla in nel con per e o se non sono siete ho \
                ha avete hai posso puo potete mi ti ci vi si mio mia vostro vostra ciao buongiorno grazie favore \
                vorrei oggi domani ora buonasera buona sera giorno",
    },
    Language {
        code: "nl",
        asking: "wanneer waar wat welke wie hoe hoeveel lang veel",
        small: "de het een en of is zijn ben ik je jij jullie wij we u uw mijn ons onze van voor met bij op in \
                aan te om tot kan kunnen mag heb hebben heeft er dit dat graag hallo dank bedankt vandaag morgen \
                nu",
    },
    Language {
        code: "tr",
        asking: "ne zaman nerede nasil kac kadar hangi kim nicin neden",
        small: "bir ve veya ile icin mi mu var yok siz sizin biz bizim ben benim bu su o da de olarak olur \
                lutfen merhaba tesekkurler istiyorum bugun yarin simdi",
    },
    Language {
        code: "pl",
        asking: "kiedy gdzie jaki jaka jakie co kto ile jak dlaczego ktorej",
        small: "i w na z ze do od po za o u czy jest sa sie ja ty wy my mam macie ma moge mozna prosze dziekuje \
                dzien dobry czesc wasz wasze to nie dzis dzisiaj jutro teraz",
    },
    Language {
        code: "vi",
        asking: "gi nao dau bao nhieu may khi",
        small: "co khong la duoc cho minh em anh chi ban shop quan vay a nha nhe oi va voi muon xin toi roi thi \
                nay hom mai",
    },
    Language {
        code: "ru",
        asking: "где когда сколько скольки как какои какая какие какое что кто почему",
        small: "вы вас вам ваш ваша ваши у к в во на с по из за до и или а но не ли мы нас мне меня я мои есть \
                можно нужно это этот для от же бы здравствуите привет спасибо пожалуиста подскажите скажите хочу \
                хотел хотела еще да сегодня завтра сеичас добрыи доброе день вечер утро",
    },
    Language {
        code: "uk",
        asking: "де коли скільки як якии яка які яке що хто чому",
        small: "ви вас вам ваш ваша у к в на з по із за до і и або а але не чи ми нас мені мене я є можна це для \
                від добрии день привіт дякую будь ласка скажіть хочу сьогодні завтра зараз",
    },
    Language {
        code: "ar",
        asking: "متي اين وين كم كيف ماذا لماذا من ما",
        small: "هل هو هي في الي علي عن مع و يا لو سمحت فضلك عندكم لديكم يوجد يمكن يمكنني ممكن انا انتم نحن هذا \
                هذه اي لكم شكرا مرحبا السلام عليكم اريد كل ان اليوم غدا الان صباح مساء الخير وعليكم",
    },
    Language { code: "ja", asking: "何時 何処 何人", small: "今日 明日 今夜 昨日" },
    Language {
        code: "hy",
        asking: "երբ որտեղ ինչ ինչպես քանի քանիսին քանիսն քանիսից որքան ով որն որոնք",
        small: "եք ենք եմ է են ես դուք մենք ձեր մեր իմ եւ կա կան ունեք կարող կարելի թե որ մեզ ինձ խնդրում ձեզ \
                մոտ ուզում մինչեւ այսօր վաղը հիմա բարի լույս օր երեկո",
    },
];

/// What an ordinary word weighs.
const PLAIN: f64 = 1.0;
/// "When" tells a question about hours from one about prices, but "opening" tells more.
const ASKING: f64 = 0.45;
/// "Do", "you", "have": in every question, so telling nothing.
const SMALL: f64 = 0.12;
/// One letter, or two kana: mostly grammar, sometimes a word.
const SHORT: f64 = 0.3;
/// A pair of letters in a script without word breaks, half of it grammar.
const HALF: f64 = 0.55;

/// Chinese letters that hold sentences together.
const SMALL_HAN: &str = "的了吗呢吧是有我你您们在和也都不会要能可以什么怎请这那";

/// A listed word, the position of its language, what it weighs there.
type Listed = (&'static str, usize, f64);

/// All listed words, sorted. Made once per instance: looking a word up in the lists as they are written takes a hundred
/// times as long, and every word of every phrasing is looked up.
static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let mut listed = Vec::with_capacity(1200);
    for (position, language) in LANGUAGES.iter().enumerate() {
        listed.extend(language.asking.split(' ').map(|word| (word, position, ASKING)));
        listed.extend(language.small.split(' ').map(|word| (word, position, SMALL)));
    }
    listed.sort_unstable_by_key(|(word, position, _)| (*word, *position));
    listed
});

/// In which languages a word is listed.
fn lookup(term: &str) -> impl Iterator<Item = &'static Listed> {
    let from = LISTED.partition_point(|(word, _, _)| *word < term);
    LISTED.iter().skip(from).take_while(move |(word, _, _)| *word == term)
}

/// How much a folded term tells in a language, 0.0 to 1.0. In a language without a list, what is small in any counts as
/// small: "the" is a card in Vietnamese, but a business that writes Swahili loses little by it.
pub(crate) fn weight(term: &str, language: &str) -> f64 {
    let spoken = LANGUAGES.iter().position(|listed| listed.code == language);
    let listed = lookup(term).find(|(_, position, _)| spoken.is_none_or(|spoken| spoken == *position));
    if let Some((_, _, weight)) = listed {
        return *weight;
    }
    if term.is_ascii() {
        return if term.len() == 1 { SHORT } else { PLAIN };
    }
    let n_letters = term.chars().count();
    let n_grammar = term.chars().filter(|letter| is_kana_grammar(*letter) || SMALL_HAN.contains(*letter)).count();
    match n_grammar {
        0 => PLAIN,
        grammar if grammar == n_letters => SHORT,
        _ => HALF,
    }
}

/// The language of a text, if its letters or its small words say so: "de". `terms` are the folded words of `text`.
pub(crate) fn language_of(text: &str, terms: &[String]) -> Option<&'static str> {
    if let Some(code) = text.chars().find_map(language_of_letter) {
        return Some(code);
    }
    let has_han = text.chars().any(|letter| matches!(u32::from(letter), 0x4E00..=0x9FFF));
    if has_han {
        return Some("zh");
    }
    let mut counts = [0_usize; LANGUAGES.len()];
    let mut telling = false;
    for term in terms {
        let mut n_languages = 0;
        for (_, position, _) in lookup(term) {
            n_languages += 1;
            if let Some(count) = counts.get_mut(*position) {
                *count += 1;
            }
        }
        telling |= n_languages == 1 && term.chars().count() >= TELLING_LETTERS;
    }
    let best = counts.iter().copied().max().unwrap_or(0);
    let is_clear = counts.iter().filter(|count| **count == best).count() == 1;
    let is_enough = best >= LEAST_WORDS || telling;
    let position = counts.iter().position(|count| *count == best).filter(|_| is_clear && is_enough);
    position.and_then(|position| LANGUAGES.get(position)).map(|language| language.code)
}

/// One short word may be a name or a loan; two are a language.
const LEAST_WORDS: usize = 2;
/// A word of this length that one language alone has is enough: "bitte".
const TELLING_LETTERS: usize = 4;

/// Letters that only one of the common languages uses.
fn language_of_letter(letter: char) -> Option<&'static str> {
    match u32::from(letter) {
        0x3041..=0x30FA => Some("ja"),
        0xAC00..=0xD7AF => Some("ko"),
        0x0E01..=0x0E5B => Some("th"),
        0x0531..=0x058A => Some("hy"),
        0x0590..=0x05FF => Some("he"),
        0x0370..=0x03FF => Some("el"),
        0x10A0..=0x10FF => Some("ka"),
        0x1EA0..=0x1EF9 | 0x01A0..=0x01B0 | 0x0111 => Some("vi"),
        _ => None,
    }
}

fn is_kana_grammar(letter: char) -> bool {
    matches!(u32::from(letter), 0x3041..=0x309F)
}

#[cfg(test)]
mod tests {
    use bellhop_sdk::text;

    use super::*;

    fn spoken(text: &str) -> Option<&'static str> {
        language_of(text, &text::terms(text))
    }

    #[test]
    fn every_listed_word_is_as_folding_leaves_it() {
        for language in LANGUAGES {
            for word in language.asking.split(' ').chain(language.small.split(' ')) {
                assert!(!word.is_empty(), "{} has two spaces", language.code);
                assert_eq!(text::fold(word), word, "{}", language.code);
            }
        }
    }

    #[test]
    fn no_language_lists_a_word_twice() {
        for pair in LISTED.windows(2) {
            let [(word, language, _), (next, next_language, _)] = pair else { panic!("windows of two") };
            assert!((word, language) != (next, next_language), "{word} in {}", LANGUAGES[*language].code);
        }
    }

    #[test]
    fn small_words_and_letters_give_the_language_away() {
        let texts = [
            ("what time do you open", "en"),
            ("wann habt ihr offen", "de"),
            ("a que hora abren, donde estan", "es"),
            ("que horas vcs abrem, onde fica", "pt"),
            ("có giao hàng không", "vi"),
            ("co giao hang khong", "vi"),
            ("где вы находитесь", "ru"),
            ("هل يوجد توصيل", "ar"),
            ("որտեղ եք", "hy"),
            ("駐車場はありますか", "ja"),
        ];
        for (text, code) in texts {
            assert_eq!(spoken(text), Some(code), "{text}");
        }
    }

    #[test]
    fn one_word_gives_no_latin_language_away() {
        assert_eq!(spoken("wifi"), None);
        assert_eq!(spoken("no"), None);
        assert_eq!(spoken("menu bitte"), Some("de"));
        assert_eq!(spoken("😀"), None);
    }

    #[test]
    fn what_a_sentence_is_about_weighs_most() {
        assert!(weight("parking", "en") > weight("where", "en"));
        assert!(weight("where", "en") > weight("you", "en"));
        assert!(weight("駐車", "ja") > weight("すか", "ja"));
    }

    #[test]
    fn a_small_word_of_one_language_is_a_whole_one_in_another() {
        assert!(weight("the", "vi") > weight("the", "en"));
        assert!(weight("the", "sw") < weight("parking", "sw"));
    }
}

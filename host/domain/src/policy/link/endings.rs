//! The endings of domain names that make a bare word a link. Data only.

/// Country codes and the other endings of two letters.
const COUNTRIES: &str = "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz ca cc cd \
cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq \
gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly \
ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw \
py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk \
us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/// The generic endings in common use, and the cheap ones that data thieves like.
const GENERIC: &str = "com net org info biz name pro mobi tel travel jobs museum aero coop cat asia post edu gov mil int arpa xxx app dev page web \
site website online store shop shopping boutique market sale sales deals discount buy bid auction cash money pay bank finance financial fund \
insurance loan loans credit creditcard mortgage tax accountant accountants business company companies inc llc ltd limited gmbh corp enterprises \
group holdings ventures partners agency consulting consultants marketing media press news blog wiki forum chat social network community club \
team work works jobs careers email mail live link links click host hosting cloud server domains digital technology tech software systems \
solutions services service support help center zone space world today life fun games game play bet casino poker sport sports football fit \
fitness yoga health healthcare clinic dental dentist doctor hospital pharmacy care cafe coffee restaurant pizza bar pub beer wine vodka kitchen \
catering menu recipes food organic farm garden flowers florist gifts gift toys fashion style clothing shoes jewelry diamonds beauty hair salon \
makeup spa tattoo wedding dating love lol wtf sexy sex porn adult photo photos photography pics pictures gallery art design graphics studio video \
videos film movie show theater music audio band radio tv stream events tickets party holiday vacations tours travel voyage flights cruises hotel \
hotels hostel villas rent rentals apartments house homes realestate realty property properties estate land construction builders contractors \
plumbing repair repairs cleaning auto autos car cars taxi limo bike delivery express supply supplies parts tools equipment industries energy \
solar green eco bio earth city town country place vet dog pet pets kids baby family mom dad school college university academy education courses \
training study institute foundation charity church faith law lawyer attorney legal guru expert ninja rocks cool best top vip one plus xyz icu cyou \
buzz cfd sbs bond monster quest rest skin autos boats homes bar hair makeup wang win men loan download stream racing review reviews science trade \
webcam party date cricket accountant faith zip mov foo new day how soy rsvp dad phd prof esq boo channel nexus google youtube android ing meme \
moe ink wiki design moda immo haus reise kaufen jetzt berlin hamburg koeln cologne bayern wien tirol swiss paris london wales scot irish amsterdam \
brussels gent madrid barcelona eus gal roma istanbul moscow tokyo osaka kyoto nagoya okinawa taipei nyc boston vegas miami sydney melbourne \
capetown joburg durban africa lat rio quebec vlaanderen frl krd tatar onl red blue pink black gold ooo kim uno tube fyi run gal observer report \
reports directory exchange capital investments estate engineering engineer codes code computer data dating direct foundation fish fishing gripe \
guide guitars hockey horse juegos lease lighting management mba navy army airforce surgery tennis tienda tires vin vision watch wine wtf bingo \
blackfriday christmas church claims coach condos coupons cab camera camp bargains bike associates apartments actor republican democrat rehab \
abogado archi ski surf beer luxury feedback reisen rip ren pub ltda srl sarl bzh alsace corsica";

/// Endings in other scripts.
const OTHER_SCRIPTS: &str = "рф укр бел қаз мкд срб ею бг мон қаз онлайн сайт орг дети москва рус ком 中国 中國 公司 网络 网址 网店 商城 商店 香港 台灣 台湾 新加坡 \
移动 我爱你 集团 餐厅 在线 手机 みんな ポイント ファッション コム 한국 닷컴 닷넷 भारत संगठन कॉम ভারত বাংলা இந்தியா இலங்கை சிங்கப்பூர் ไทย คอม ລາວ გე հայ ελ ευ ישראל קום السعودية امارات مصر الاردن الجزائر المغرب \
تونس قطر عمان فلسطين سوريا سودان العراق ایران پاکستان بھارت موقع شبكة كوم بازار";

/// Somebody registered names under this ending. The caller passes it in lower case.
pub(super) fn is_known(ending: &str) -> bool {
    [COUNTRIES, GENERIC, OTHER_SCRIPTS].iter().any(|list| list.split_whitespace().any(|known| known == ending))
}
